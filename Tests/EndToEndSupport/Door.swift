import AsyncHTTPClient
import Decide
import Foundation
import NIOCore
import NIOHTTP1

/// One server's HTTP side, asked as somebody in particular.
package struct Door: Sendable {
    package struct Answer: Sendable {
        package var status: Int
        package var headers: [String: String]
        package var bytes: [UInt8]

        package var text: String { String(decoding: bytes, as: UTF8.self) }
        /// Null when it is not JSON.
        package var json: JSONValue { (try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))) ?? .null }
    }

    package var url: String
    package var token: String?

    package init(url: String, token: String?) {
        self.url = url
        self.token = token
    }

    package func callAsFunction(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        try await send(
            method, path, try body.map { Array(try JSONEncoder().encode($0)) }, type: "application/json",
            headers: headers)
    }

    package func send(
        _ method: HTTPMethod, _ path: String, _ bytes: [UInt8]?, type: String, headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        // Servers come and go here: a connection that was kept may lead to one that is gone.
        request.headers.add(name: "Connection", value: "close")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let bytes {
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(bytes)
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let answer = Array(try await response.body.collect(upTo: 32 << 20).readableBytesView)
        let fields = Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
        return Answer(status: Int(response.status.code), headers: fields, bytes: answer)
    }

    /// The answer's JSON; an answer without success is an error.
    package func get(_ path: String) async throws -> JSONValue {
        let answer = try await self(.GET, path)
        guard (200..<300).contains(answer.status) else {
            throw Complaint("GET \(path): HTTP \(answer.status) \(answer.text.prefix(300))")
        }
        return answer.json
    }

    /// Every item of a list that is paged by `before`.
    package func all(_ path: String) async throws -> [JSONValue] {
        var items: [JSONValue] = []
        var before = ""
        while true {
            let page = try await get("\(path)\(path.contains("?") ? "&" : "?")limit=200\(before)")
            items += page["items"]?.array ?? []
            guard let next = page["next"]?.string else { return items }
            before = "&before=" + (next.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? next)
        }
    }

    /// The whole timeline, oldest first.
    package func timeline() async throws -> [JSONValue] {
        var lines: [JSONValue] = []
        while true {
            let page = try await get("/api/v1/timeline?limit=200&after=\(lines.last?["id"]?.integer ?? 0)")
            let found = page["items"]?.array ?? []
            lines += found
            if found.count < 200 { return lines }
        }
    }

    package func isHealthy() async throws -> Bool {
        try await self(.GET, "/healthz").status == 200
    }

    /// Reads server-sent events until one line satisfies the condition.
    package func listen(_ path: String, onOpen: @escaping @Sendable () -> Void, until: (String) -> Bool) async throws {
        var request = HTTPClientRequest(url: url + path)
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(300))
        guard response.status == .ok else { throw Complaint("\(path): HTTP \(response.status.code)") }
        var pending = ""
        var isOpen = false
        for try await chunk in response.body {
            pending += String(buffer: chunk)
            while let end = pending.firstIndex(of: "\n") {
                let line = String(pending[..<end])
                pending = String(pending[pending.index(after: end)...])
                if until(line) { return }
            }
            if !isOpen {
                isOpen = true
                onOpen()
            }
        }
        throw Complaint("\(path) ended")
    }
}
