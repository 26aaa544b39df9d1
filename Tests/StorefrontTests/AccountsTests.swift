import Foundation
import HTTPTypes
import HummingbirdTesting
import MainstayKit
import SQL
import Testing

@testable import Storefront

@Suite("Accounts")
struct AccountsTests {
    @Test("are made, used and left")
    func wholeLife() async throws {
        try await TestShop.run { shop async throws in
            let made = try await shop.api(
                .post, "/api/users", json: #"{"email":"Ada@Example.test","name":"Ada","password":"long enough"}"#)
            #expect(made.status == 201)
            #expect(try made.json["email"] as? String == "ada@example.test")
            let session = try await shop.api(
                .post, "/api/session", json: #"{"email":"ada@example.TEST","password":"long enough"}"#)
            #expect(session.status == 201)
            let token = try #require(try session.json["token"] as? String)
            #expect(token.count == 43)
            let me = try await shop.api(.get, "/api/session", token: token)
            #expect(try me.json["name"] as? String == "Ada")
            #expect(try await shop.api(.delete, "/api/session", token: token).status == 204)
            #expect(try await shop.api(.get, "/api/session", token: token).status == 401)
        }
    }

    @Test("keep only the hash of a token")
    func tokenHash() async throws {
        try await TestShop.run { shop async throws in
            let token = try await shop.signIn()
            let rows = try await shop.shop.store.database.read { try $0.query("SELECT token_hash FROM sessions") }
            #expect(try rows.map { try $0.text("token_hash") } == [Token.hash(token)])
            #expect(Token.hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        }
    }

    @Test("end after thirty days")
    func expiry() async throws {
        try await TestShop.run { shop async throws in
            let token = try await shop.signIn()
            shop.clock.advance(by: Sessions.lifetimeMilliseconds)
            #expect(try await shop.api(.get, "/api/session", token: token).status == 401)
        }
    }

    @Test(
        "are refused with every mistake named",
        arguments: [
            (#"{"email":"a","name":"","password":"short"}"#, ["email", "name", "password"]),
            (#"{"email":"a@b","name":"A","password":"long enough"}"#, ["email"]),
            (#"{"email":"a@b.test","name":"   ","password":"long enough"}"#, ["name"]),
            (#"{"email":"a@b.test","name":"A\u0007","password":"long enough"}"#, ["name"]),
            (#"{"email":"a@b.test","name":"A"}"#, ["password"]),
            (#"{"email":7,"name":"A","password":"long enough"}"#, ["email"]),
            (#"["a"]"#, ["body"]),
        ])
    func invalid(json: String, fields: [String]) async throws {
        try await TestShop.run { shop async throws in
            let answer = try await shop.api(.post, "/api/users", json: json)
            #expect(answer.status == 422)
            #expect(answer.headers[.contentType] == "application/problem+json")
            let errors = try #require(try answer.json["errors"] as? [[String: Any]])
            #expect(errors.compactMap { $0["field"] as? String } == fields)
        }
    }

    @Test("are refused when the body is no JSON, too large or of another type")
    func unreadable() async throws {
        try await TestShop.run { shop async throws in
            #expect(try await shop.api(.post, "/api/users", json: "{").status == 400)
            #expect(try await shop.api(.post, "/api/users", json: "").status == 400)
            let large = String(repeating: " ", count: 65_537)
            #expect(try await shop.api(.post, "/api/users", json: large).status == 413)
            let plain = try await shop.send(
                .post, "/api/users", headers: [.contentType: "text/plain"], body: "{}")
            #expect(plain.status == 415)
            #expect(try await shop.send(.post, "/api/users", body: "{}").status == 415)
        }
    }

    @Test("exist once for an address")
    func conflict() async throws {
        try await TestShop.run { shop async throws in
            let answer = try await shop.api(
                .post, "/api/users",
                json: #"{"email":"\#(DemoData.email(user: 1))","name":"A","password":"long enough"}"#)
            #expect(answer.status == 409)
        }
    }

    @Test("give the same answer for a wrong password and an unknown address")
    func wrongCredentials() async throws {
        try await TestShop.run { shop async throws in
            let known = try await shop.api(
                .post, "/api/session", json: #"{"email":"\#(DemoData.email(user: 1))","password":"wrong"}"#)
            let unknown = try await shop.api(
                .post, "/api/session", json: #"{"email":"nobody@storefront.test","password":"wrong"}"#)
            #expect(known.status == 401)
            #expect(known.text == unknown.text)
        }
    }

    @Test("are closed for a while after ten wrong attempts from one address, for one account")
    func rateLimit() async throws {
        try await TestShop.run { shop async throws in
            func attempt(_ user: Int, _ password: String) async throws -> Answer {
                try await shop.api(
                    .post, "/api/session",
                    json: #"{"email":"\#(DemoData.email(user: user))","password":"\#(password)"}"#)
            }
            // A right password takes back what was counted.
            _ = try await attempt(1, "wrong")
            #expect(try await attempt(1, "demo").status == 201)
            for _ in 1...10 { #expect(try await attempt(1, "wrong").status == 401) }
            let closed = try await attempt(1, "demo")
            #expect(closed.status == 429)
            #expect(closed.headers[.retryAfter] == "300")
            #expect(try await attempt(2, "demo").status == 201)
            shop.clock.advance(by: 300_000)
            #expect(try await attempt(1, "demo").status == 201)
        }
    }

    @Test("of the synthetic user are left out of analytics")
    func synthetic() async throws {
        try await TestShop.run { shop async throws in
            try await shop.shop.ensureSyntheticUser(password: "a password")
            try await shop.shop.ensureSyntheticUser(password: "a password")
            let session = try await shop.api(
                .post, "/api/session", json: #"{"email":"\#(Server.syntheticEmail)","password":"a password"}"#)
            let token = try #require(try session.json["token"] as? String)
            #expect(try await shop.api(.put, "/api/favorites/7", token: token).status == 201)
            #expect(shop.mainstay.active.allSatisfy { $0.isSynthetic })
            let metrics = try await shop.send(.get, "/metrics").text
            #expect(metrics.contains("storefront_users_active 0\n"))
            #expect(metrics.contains("storefront_favorites_stored 0\n"))
            #expect(
                metrics.contains(#"{route="/api/favorites/{product}",method="PUT",status="201",synthetic="true"} 1"#))
            #expect(!metrics.contains(#"duration_seconds_count{route="/api/favorites/{product}"}"#))
        }
    }

    @Test("with Mainstay's header are left out of analytics too")
    func syntheticHeader() async throws {
        try await TestShop.run { shop async throws in
            let token = try await shop.signIn()
            let header = HTTPField.Name.mainstaySynthetic
            _ = try await shop.api(.get, "/api/favorites", token: token, headers: [header: "signed"])
            #expect(try await shop.send(.get, "/metrics").text.contains("storefront_users_active 0\n"))
            _ = try await shop.api(.get, "/api/favorites", token: token, headers: [header: "forged"])
            #expect(try await shop.send(.get, "/metrics").text.contains("storefront_users_active 1\n"))
        }
    }
}

@Suite("Passwords")
struct PasswordTests {
    @Test("of a crowd are checked once, and wrong ones are found wrong every time")
    func crowd() async throws {
        let hasher = PasswordHasher()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 { group.addTask { try await hasher.verify("demo", DemoData.password) } }
            for try await right in group { #expect(right) }
        }
        for _ in 0..<2 { #expect(try await !hasher.verify("dem0", DemoData.password)) }
    }

    @Test("that find no place in the queue are refused for now")
    func queueLimit() async throws {
        let hasher = PasswordHasher(queueLimit: 0)
        let error = await #expect(throws: Problem.self) { try await hasher.verify("demo", DemoData.password) }
        #expect(error?.status == .serviceUnavailable)
        let open = PasswordHasher(queueLimit: 1)
        for _ in 0..<3 { #expect(try await !open.verify("wrong", DemoData.password)) }
    }

    @Test("are found right and wrong by their hash")
    func verify() throws {
        let hash = try PasswordHash.make("correct horse", salt: Array(0..<16))
        #expect(hash.hasPrefix("scrypt$16384$8$1$AAECAwQFBgcICQoLDA0ODw==$"))
        #expect(try PasswordHash.verify("correct horse", hash))
        #expect(try !PasswordHash.verify("Correct horse", hash))
        #expect(try PasswordHash.verify("demo", DemoData.password))
    }

    @Test(
        "never match a hash that cannot be read",
        arguments: ["", "demo", "scrypt$1$1$1$AA==$AA==", PasswordHash.ofNobody])
    func unreadable(hash: String) throws {
        #expect(try !PasswordHash.verify("demo", hash))
        #expect(try !PasswordHash.verify("", hash))
    }
}
