import Act
import Decide
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Record
import SQL
import Testing

@testable import Web

/// Mainstay's pages over a scene, and people signed in to look at them.
struct PagesHouse: Sendable {
    static let secret = "the-csrf-secret-of-a-session-of-43-characters"

    let scene: Scene
    var services: WebServices

    static func make(_ end: Scene.End, undo: FeaturePolicy.Undo = .auto) async throws -> PagesHouse {
        let scene = try await Scene(until: end, undo: undo)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let settings = WebSettings(publicURL: "http://mainstay.test")
        let services = WebServices(
            record: scene.record, settings: settings,
            linkSigner: LinkSigner(key: [UInt8](repeating: 7, count: 32), base: settings.publicURL), version: "1.2.3",
            logger: logger)
        let now = scene.now
        try await scene.record.database.write { connection in
            for role in Role.allCases {
                try connection.execute(
                    "INSERT INTO accounts (name, role, password, created_at) VALUES (?, ?, ?, ?)",
                    [.text(role.rawValue), .text(role.rawValue), .text("none"), .integer(now.milliseconds)])
                try connection.execute(
                    "INSERT INTO sessions (digest, account, csrf, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
                    [
                        .text(Secrets.digest("session-of-\(role.rawValue)")), .text(role.rawValue), .text(secret),
                        .integer(now.milliseconds), .integer((now + .days(1)).milliseconds),
                    ])
            }
        }
        return PagesHouse(scene: scene, services: services)
    }
}

/// What a browser would see.
struct PageAnswer: Sendable {
    var status: Int
    var headers: HTTPFields
    var html: String

    /// Everything between `<tag` and `>`, for each such tag.
    func tags(_ name: String) -> [String] {
        html.components(separatedBy: "<\(name)").dropFirst().compactMap { part in
            guard let next = part.first, next == " " || next == ">" else { return nil }
            return String(part.prefix { $0 != ">" })
        }
    }

    /// Each form from its opening tag to its end.
    var forms: [String] {
        html.components(separatedBy: "<form ").dropFirst().map { $0.components(separatedBy: "</form>")[0] }
    }

    var headings: [Int] {
        html.components(separatedBy: "<h").dropFirst().compactMap { part in
            part.first.flatMap(\.wholeNumberValue)
        }
    }
}

struct PageClient: Sendable {
    let client: any TestClientProtocol

    func get(_ path: String, as role: Role? = .responder, headers: HTTPFields = [:]) async throws -> PageAnswer {
        var fields = self.headers(role)
        for field in headers { fields[field.name] = field.value }
        return try await client.execute(uri: path, method: .get, headers: fields, body: nil, testCallback: Self.answer)
    }

    /// - Parameter csrf: nil sends none.
    func post(
        _ path: String, as role: Role? = .responder, _ fields: [String: String] = [:], csrf: String? = PagesHouse.secret
    ) async throws -> PageAnswer {
        var fields = fields
        fields["csrf"] = csrf
        var headers = self.headers(role)
        headers[.contentType] = "application/x-www-form-urlencoded"
        let body = fields.map { "\(PercentCoding.encode($0))=\(PercentCoding.encode($1))" }.joined(separator: "&")
        return try await client.execute(
            uri: path, method: .post, headers: headers, body: ByteBuffer(string: body), testCallback: Self.answer)
    }

    private func headers(_ role: Role?) -> HTTPFields {
        var fields: HTTPFields = [.accept: "text/html,application/xhtml+xml"]
        if let role { fields[.cookie] = "\(SignIn.cookieName)=session-of-\(role.rawValue)" }
        return fields
    }

    @Sendable private static func answer(_ response: TestResponse) -> PageAnswer {
        PageAnswer(
            status: response.status.code, headers: response.headers, html: String(buffer: response.body))
    }
}

func withPages(
    _ end: Scene.End = .resolved, undo: FeaturePolicy.Undo = .auto,
    adjust: @Sendable (inout WebServices) -> Void = { _ in },
    _ body: @Sendable @escaping (PagesHouse, PageClient) async throws -> Void
) async throws {
    var house = try await PagesHouse.make(end, undo: undo)
    adjust(&house.services)
    let ready = house
    try await buildApplication(ready.services, host: "127.0.0.1", port: 0).test(.router) { client in
        try await body(ready, PageClient(client: client))
    }
    try await ready.scene.close()
}
