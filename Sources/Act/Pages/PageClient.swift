import AsyncHTTPClient
import Decide
import NIOCore
import NIOHTTP1

/// Posts JSON to the webhooks of chats and other receivers: no redirects, one time limit, little of the answer read.
///
/// Its owner calls `shutdown` once nothing is sent any more.
package final class PageClient: Sendable {
    private static let answerLimit = 1_024

    /// Limit of one try, from the connection to the answer's head.
    package let timeout: Span
    private let client: HTTPClient

    package init(timeout: Span = .seconds(10)) {
        self.timeout = timeout
        let limit = TimeAmount.milliseconds(timeout.milliseconds)
        var configuration = HTTPClient.Configuration(
            // A redirect could lead what a page says to a place that nobody configured.
            redirectConfiguration: .disallow, timeout: .init(connect: limit, read: limit))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 8
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    package func shutdown() async throws {
        try await client.shutdown()
    }

    /// - Parameters:
    ///   - secrets: what must not appear in the outcome's words, should the receiver repeat it.
    ///   - now: by which a date in Retry-After is read.
    func post(
        _ url: String, headers: [(String, String)] = [], body: [UInt8], hiding secrets: [String], now: Instant
    ) async -> DeliveryOutcome {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json; charset=utf-8")
        request.headers.add(name: "user-agent", value: "Mainstay")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(body)
        do {
            let response = try await client.execute(request, timeout: .milliseconds(timeout.milliseconds))
            let text = await Self.opening(of: response.body)
            let words = Words.reply("HTTP \(response.status.code) \(text)", hiding: secrets)
            return DeliveryPolicy.outcome(
                httpStatus: Int(response.status.code), words: words,
                retryAfter: response.headers.first(name: "retry-after"), now: now)
        } catch {
            return outcome(of: error, hiding: secrets)
        }
    }

    /// The head of the answer decides; a body that breaks off or never ends changes nothing.
    private static func opening(of body: HTTPClientResponse.Body) async -> String {
        var bytes: [UInt8] = []
        do {
            for try await part in body {
                bytes += part.readableBytesView.prefix(answerLimit - bytes.count)
                if bytes.count >= answerLimit { break }
            }
        } catch {
            return String(decoding: bytes, as: UTF8.self)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func outcome(of error: any Error, hiding secrets: [String]) -> DeliveryOutcome {
        let late: [HTTPClientError] = [
            .deadlineExceeded, .connectTimeout, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout,
        ]
        let wrong: [HTTPClientError] = [.invalidURL, .emptyHost, .emptyScheme, .missingSocketPath]
        if let known = error as? HTTPClientError {
            if late.contains(known) {
                return .temporary(reason: "no answer within \(timeout.spoken)", retryAfter: nil)
            }
            if wrong.contains(known) || known.description.contains("nsupportedScheme") {
                return .permanent(reason: "the configured URL cannot be used")
            }
        }
        let words = Words.reply("no answer: \(Self.words(error))", hiding: secrets)
        return .temporary(reason: words, retryAfter: nil)
    }

    private static func words(_ error: any Error) -> String {
        if error is CancellationError { return "Mainstay stops" }
        if let error = error as? HTTPClientError { return error.shortDescription }
        let text = "\(error)"
        if text.contains("ECONNREFUSED") || text.contains("refused") { return "the connection was refused" }
        return text
    }
}

/// What a URL that holds a secret must not show of itself, in whole or in part.
enum SecretURL {
    static func parts(_ url: String) -> [String] {
        let rest = url.split(separator: "//", maxSplits: 1).last ?? ""
        guard let start = rest.firstIndex(where: { "/?#".contains($0) }) else { return [url] }
        let path = rest[start...]
        let pieces = path.split { "/?&=#".contains($0) }.filter { $0.utf8.count >= 8 }
        return [url, String(rest)] + (path.utf8.count >= 8 ? [String(path)] : []) + pieces.map(String.init)
    }
}
