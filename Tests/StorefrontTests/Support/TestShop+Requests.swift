import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Storefront

/// An answer with its body read.
struct Answer: Sendable {
    var status: Int
    var headers: HTTPFields
    var text: String

    var json: [String: Any] { get throws { try #require(try decoded() as? [String: Any]) } }

    var items: [[String: Any]] { get throws { try #require(try json["items"] as? [[String: Any]]) } }

    func decoded() throws -> Any { try JSONSerialization.jsonObject(with: Data(text.utf8)) }

    var location: String? { headers[.location] }

    /// The form token that the page carries.
    var csrf: String {
        get throws {
            let parts = text.components(separatedBy: "name=\"csrf\" value=\"")
            return try #require(parts.dropFirst().first?.components(separatedBy: "\"").first)
        }
    }

    func cookie(_ name: String) -> String? {
        headers[values: .setCookie].lazy.filter { $0.hasPrefix(name + "=") }
            .map { String($0.dropFirst(name.count + 1).prefix { $0 != ";" }) }.first
    }
}

extension TestShop {
    func send(
        _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:], body: String? = nil
    ) async throws -> Answer {
        let response = try await client.executeRequest(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
        return Answer(
            status: response.status.code, headers: response.headers, text: String(buffer: response.body))
    }

    func api(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil, json: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if let token { headers[.authorization] = "Bearer \(token)" }
        if json != nil { headers[.contentType] = "application/json" }
        return try await send(method, path, headers: headers, body: json)
    }

    /// The token of a demo user's new session.
    func signIn(user: Int = 1) async throws -> String {
        let answer = try await api(
            .post, "/api/session", json: #"{"email":"\#(DemoData.email(user: user))","password":"demo"}"#)
        #expect(answer.status == 201)
        return try #require(try answer.json["token"] as? String)
    }

    func page(_ path: String, cookies: [String: String] = [:]) async throws -> Answer {
        try await send(.get, path, headers: Self.headers(cookies, [.accept: "text/html"]))
    }

    /// Sends a form as a browser does.
    func form(_ path: String, _ fields: [String: String], cookies: [String: String]) async throws -> Answer {
        let body = fields.map { "\($0.key)=\(FormFields.encode($0.value))" }.joined(separator: "&")
        return try await send(
            .post, path,
            headers: Self.headers(
                cookies, [.accept: "text/html", .contentType: "application/x-www-form-urlencoded"]),
            body: body)
    }

    private static func headers(_ cookies: [String: String], _ others: HTTPFields) -> HTTPFields {
        var headers = others
        if !cookies.isEmpty { headers[.cookie] = cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ") }
        return headers
    }
}
