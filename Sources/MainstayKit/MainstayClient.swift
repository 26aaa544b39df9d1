import AsyncHTTPClient
import Decide
import NIOCore
import NIOHTTP1

/// Requests to the Mainstay server.
struct MainstayClient: Sendable {
    let httpClient: HTTPClient
    /// Without a slash at the end.
    let url: String
    let token: String?
    let clock: KitClock

    /// Sends JSON; gives the status of whatever answer there is. Throws when there is none within `timeout`.
    func post(
        _ path: String, _ body: JSONValue, timeout: Duration, operation: String
    ) async throws -> (status: Int, detail: String) {
        var request = request(path, method: .POST)
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: body.compactText))
        let prepared = request
        do {
            return try await within(timeout) {
                let response = try await httpClient.execute(prepared, deadline: .distantFuture)
                // Read to the end, so that the connection can be used again.
                let answer = try await response.body.collect(upTo: 64 * 1_024)
                return (Int(response.status.code), Self.detail(answer))
            }
        } catch {
            // However the HTTP client words it.
            if Task.isCancelled { throw CancellationError() }
            throw MainstayError(code: .unavailable, operation: operation, detail: Self.reason(error))
        }
    }

    /// Opens the stream of flag definitions; throws unless it is answered with 200 within `timeout`.
    func openStream(service: String, timeout: Duration) async throws -> HTTPClientResponse.Body {
        var request = request("/api/v1/flags/stream?service=\(Self.encode(service))", method: .GET)
        request.headers.add(name: "Accept", value: "text/event-stream")
        let prepared = request
        let response: HTTPClientResponse
        do {
            response = try await within(timeout) {
                try await httpClient.execute(prepared, deadline: .distantFuture)
            }
        } catch {
            // However the HTTP client words it.
            if Task.isCancelled { throw CancellationError() }
            throw MainstayError(code: .unavailable, operation: "flags.stream", detail: Self.reason(error))
        }
        guard response.status == .ok else {
            throw MainstayError(
                code: .refused, operation: "flags.stream", status: Int(response.status.code),
                detail: "Mainstay refused the stream.")
        }
        return response.body
    }

    private func request(_ path: String, method: HTTPMethod) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        request.headers.add(name: "User-Agent", value: "MainstayKit")
        return request
    }

    private struct TimedOut: Error {}

    private func within<Result: Sendable>(
        _ timeout: Duration, _ operation: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result.self) { group in
            group.addTask { try await operation() }
            group.addTask {
                try await clock.sleep(timeout)
                throw TimedOut()
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }

    /// An error in words that hold no secret: requests, and with them the token, stay out of it.
    private static func reason(_ error: any Error) -> String {
        error is TimedOut ? "Mainstay did not answer in time." : "Mainstay could not be reached: \(error)"
    }

    /// `detail` or `title` of problem details (RFC 9457), for the log.
    private static func detail(_ answer: ByteBuffer) -> String {
        do {
            let body = try JSONValue(parsing: Array(answer.readableBytesView))
            return String((body["detail"]?.string ?? body["title"]?.string ?? "").prefix(500))
        } catch {
            return ""
        }
    }

    private static func encode(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                String(Unicode.Scalar(byte))
            default:
                "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}
