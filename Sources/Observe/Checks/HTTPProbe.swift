import AsyncHTTPClient
import Decide
import NIOCore
import NIOHTTP1

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Sends the HTTP requests of one run: cookies, the synthetic user's mark, redirects when asked, bounded bodies.
struct HTTPProbe: Sendable {
    let client: HTTPClient
    /// For paths; nil when every target is absolute.
    let baseURL: String?
    /// The value of `Mainstay-Synthetic`; sent to the service's own origin only, or others could replay it.
    let mark: String?
    let bodyLimit: Int
    let clock: @Sendable () -> Instant

    struct Answer: Sendable {
        var observation: HTTPObservation
        var jar: CookieJar
    }

    func send(
        _ call: HTTPCall, jar: CookieJar, until deadline: ContinuousClock.Instant, parsesJSON: Bool
    ) async throws(ProbeFailure) -> Answer {
        let limit = deadline.remaining
        do {
            let start = try Target(call.target, base: baseURL)
            let home = try baseURL.map { try Target($0, base: nil).origin } ?? start.origin
            return try await withDeadline(deadline) {
                let exchange = Exchange(probe: self, home: home, deadline: deadline, parsesJSON: parsesJSON)
                return try await exchange.follow(call, from: start, jar: jar)
            }
        } catch is NIOTooManyBytesError {
            throw ProbeFailure(.assertion, "the answer is larger than \(bodyLimit / 1_024) KiB")
        } catch {
            throw ProbeFailure(error, limit: limit)
        }
    }
}

/// A parsed absolute URL.
private struct Target: Sendable {
    let url: URL
    let origin: String
    let address: CookieJar.Address

    init(_ text: String, base: String?) throws(ProbeFailure) {
        let isAbsolute = text.hasPrefix("http://") || text.hasPrefix("https://")
        var root = base ?? ""
        while root.hasSuffix("/") { root.removeLast() }
        guard isAbsolute || text.hasPrefix("/"), let url = URL(string: isAbsolute ? text : root + text) else {
            throw ProbeFailure(.definition, "'\(text.brief(200))' is not a path that begins with / or a URL")
        }
        try self.init(url)
    }

    init(_ url: URL) throws(ProbeFailure) {
        guard let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme), let host = url.host,
            !host.isEmpty
        else { throw ProbeFailure(.definition, "'\(url.absoluteString.brief(200))' is not an http or https URL") }
        self.url = url
        let port = url.port ?? (scheme == "https" ? 443 : 80)
        origin = "\(scheme)://\(host.lowercased()):\(port)"
        address = CookieJar.Address(host: host, path: url.path, isSecure: scheme == "https")
    }

    func resolve(_ location: String) throws(ProbeFailure) -> Target {
        guard let next = URL(string: location, relativeTo: url)?.absoluteURL else {
            throw ProbeFailure(.assertion, "it redirects to '\(location.brief(200))', which is not a URL")
        }
        return try Target(next)
    }
}

/// One request with its redirects.
private struct Exchange: Sendable {
    let probe: HTTPProbe
    let home: String
    let deadline: ContinuousClock.Instant
    let parsesJSON: Bool

    func follow(_ call: HTTPCall, from start: Target, jar: CookieJar) async throws -> HTTPProbe.Answer {
        let began = ContinuousClock.now
        var (jar, target, method, body) = (jar, start, call.method, call.body)
        var left = call.redirects
        while true {
            let headers = self.headers(for: call, method, body, target, start, jar)
            let response = try await execute(target, method, headers, body)
            for cookie in response.headers["set-cookie"] { jar.take(cookie, from: target.address, at: probe.clock()) }
            guard left > 0, [301, 302, 303, 307, 308].contains(response.status.code),
                let location = response.headers.first(name: "location")
            else { return try await finish(response, target, jar, began) }
            _ = try await response.body.collect(upTo: probe.bodyLimit)
            left -= 1
            let next = try target.resolve(location)
            if target.address.isSecure, !next.address.isSecure {
                throw ProbeFailure(.assertion, "it redirects from https to http")
            }
            if response.status.code == 303 || (response.status.code < 303 && method == .post) {
                (method, body) = (method == .head ? .head : .get, nil)
            }
            target = next
        }
    }

    private func execute(
        _ target: Target, _ method: HTTPAction.Method, _ headers: HTTPHeaders, _ body: [UInt8]?
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: target.url.absoluteString)
        request.method = HTTPMethod(rawValue: method.rawValue)
        request.headers = headers
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let remaining = deadline.remaining.milliseconds
        return try await probe.client.execute(request, deadline: .now() + .milliseconds(max(1, remaining)))
    }

    private func headers(
        for call: HTTPCall, _ method: HTTPAction.Method, _ body: [UInt8]?, _ target: Target, _ start: Target,
        _ jar: CookieJar
    ) -> HTTPHeaders {
        var headers = HTTPHeaders()
        // What the check's author meant for one origin (an Authorization, say) is not carried to another.
        if target.origin == start.origin {
            for (name, value) in call.headers where body != nil || name.lowercased() != "content-type" {
                headers.add(name: name, value: value)
            }
        }
        if !headers.contains(name: "User-Agent") { headers.add(name: "User-Agent", value: "Mainstay") }
        if !headers.contains(name: "Accept") { headers.add(name: "Accept", value: "*/*") }
        if !headers.contains(name: "Cookie"), let cookies = jar.header(for: target.address, at: probe.clock()) {
            headers.add(name: "Cookie", value: cookies)
        }
        if let mark = probe.mark, target.origin == home {
            headers.replaceOrAdd(name: SyntheticHeader.name, value: mark)
        }
        return headers
    }

    private func finish(
        _ response: HTTPClientResponse, _ target: Target, _ jar: CookieJar, _ began: ContinuousClock.Instant
    ) async throws -> HTTPProbe.Answer {
        let body = try await response.body.collect(upTo: probe.bodyLimit)
        let observation = HTTPObservation(
            status: Int(response.status.code),
            headers: response.headers.map { HTTPObservation.Header($0.name, $0.value) },
            cookies: jar.cookies(for: target.address, at: probe.clock()), body: Array(body.readableBytesView),
            took: Span(began.duration(to: .now)), parsesJSON: parsesJSON)
        return HTTPProbe.Answer(observation: observation, jar: jar)
    }
}
