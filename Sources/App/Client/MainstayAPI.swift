import AsyncHTTPClient
import Decide
import Foundation
import NIOCore
import NIOHTTP1

/// What the command line and drills say to a running Mainstay.
package struct MainstayAPI: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package var status: Int
        package var message: String
        /// Reasons of a gate that blocked, and the like.
        package var reasons: [String]

        package var description: String {
            reasons.isEmpty ? message : ([message] + reasons.map { "  - \($0)" }).joined(separator: "\n")
        }
    }

    private static let answerLimit = 16 << 20

    package let url: String
    private let token: String
    private let timeout: TimeAmount

    package init(url: String, token: String, timeout: TimeAmount = .seconds(15)) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.token = token
        self.timeout = timeout
    }

    package func get(_ path: String) async throws -> JSONValue {
        try Self.decode(try await send(.GET, path, body: nil))
    }

    @discardableResult
    package func post(_ path: String, _ body: JSONValue = .object([:])) async throws -> JSONValue {
        let bytes = try JSONEncoder().encode(body)
        return try Self.decode(
            try await send(.POST, path, body: (Array(bytes), "application/json")))
    }

    @discardableResult
    package func put(_ path: String, _ body: JSONValue) async throws -> JSONValue {
        let bytes = try JSONEncoder().encode(body)
        return try Self.decode(try await send(.PUT, path, body: (Array(bytes), "application/json")))
    }

    package func delete(_ path: String) async throws {
        _ = try await send(.DELETE, path, body: nil)
    }

    @discardableResult
    package func post(_ path: String, bytes: [UInt8], type: String) async throws -> JSONValue {
        try Self.decode(try await send(.POST, path, body: (bytes, type)))
    }

    package func text(_ path: String) async throws -> String {
        String(decoding: try await send(.GET, path, body: nil), as: UTF8.self)
    }

    private func send(
        _ method: HTTPMethod, _ path: String, body: (bytes: [UInt8], type: String)?
    ) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        request.headers.add(name: "Accept", value: "application/json, text/markdown;q=0.9, */*;q=0.5")
        if let body {
            request.headers.add(name: "Content-Type", value: body.type)
            request.body = .bytes(body.bytes)
        }
        let response: HTTPClientResponse
        do {
            response = try await HTTPClient.shared.execute(request, timeout: timeout)
        } catch {
            throw Failure(status: 0, message: "Mainstay at \(url) does not answer: \(error)", reasons: [])
        }
        let answer = Array(try await response.body.collect(upTo: Self.answerLimit).readableBytesView)
        guard (200..<300).contains(Int(response.status.code)) else { throw Self.failure(response.status, answer) }
        return answer
    }

    private static func decode(_ bytes: [UInt8]) throws -> JSONValue {
        bytes.isEmpty ? .null : try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    }

    /// Problem details as a sentence.
    private static func failure(_ status: HTTPResponseStatus, _ bytes: [UInt8]) -> Failure {
        let problem: JSONValue
        do { problem = try decode(bytes) } catch { problem = .null }
        let words = problem["detail"]?.string ?? problem["title"]?.string ?? status.reasonPhrase
        let reasons = (problem["reasons"]?.array ?? []).compactMap { $0.string ?? $0["text"]?.string }
        return Failure(status: Int(status.code), message: "\(words) (HTTP \(status.code))", reasons: reasons)
    }

    /// A path with those parameters that have a value.
    package static func path(_ path: String, _ parameters: [(name: String, value: String?)]) -> String {
        let query = parameters.compactMap { parameter in
            parameter.value.map { value in
                let kept = CharacterSet.alphanumerics.intersection(CharacterSet(charactersIn: "\u{0}"..."\u{7E}"))
                    .union(CharacterSet(charactersIn: "-._~"))
                return "\(parameter.name)=\(value.addingPercentEncoding(withAllowedCharacters: kept) ?? "")"
            }
        }
        return query.isEmpty ? path : path + "?" + query.joined(separator: "&")
    }

    /// For one segment of a path.
    package static func segment(_ text: String) -> String {
        var allowed = CharacterSet.urlPathAllowed
        allowed.remove(charactersIn: "/?#%")
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }
}
