import Decide
import Record
import SQL
import TestSupport
import Testing

@Suite("Accounts, sessions and tokens, on both databases")
struct AccessTests {
    private let admin = Actor(.person, "root")

    @Test("sign-in needs the right password of an account in force", arguments: TestDriver.available)
    func signIn(driver: TestDriver) async throws {
        try await withRecord(driver) { record, _, _ in
            try await record.createAccount("ada", role: .responder, password: "correct horse", by: admin)
            #expect(try await record.signIn("ada", password: "wrong horse!") == nil)
            #expect(try await record.signIn("nobody", password: "correct horse") == nil)
            let (token, session) = try #require(try await record.signIn("ada", password: "correct horse"))
            #expect(session.account.role == .responder)
            #expect(try await record.session(token)?.account.name == "ada")
            try await record.setDisabled("ada", true, by: admin)
            #expect(try await record.session(token) == nil)
            #expect(try await record.signIn("ada", password: "correct horse") == nil)
        }
    }

    @Test("a session ends when it is old, signed out, or the password changes", arguments: ["age", "out", "password"])
    func sessionEnds(how: String) async throws {
        try await withRecord(.sqlite) { record, clock, _ in
            try await record.createAccount("ada", role: .viewer, password: "correct horse", by: admin)
            let (token, _) = try #require(try await record.signIn("ada", password: "correct horse"))
            switch how {
            case "age": clock.advance(.days(15))
            case "out": try await record.signOut(token)
            default: try await record.setPassword("ada", "battery staple", by: admin)
            }
            #expect(try await record.session(token) == nil)
        }
    }

    @Test("a token works until it is revoked", arguments: TestDriver.available)
    func tokens(driver: TestDriver) async throws {
        try await withRecord(driver) { record, _, _ in
            try await record.createAccount("ci", role: .responder, password: "correct horse", by: admin)
            let token = try await record.createToken("deploy", account: "ci", scopes: [.releases], by: admin)
            let found = try #require(try await record.authenticate(token: token))
            #expect(found.account.name == "ci")
            #expect(found.token.scopes == [.releases])
            #expect(try await record.authenticate(token: token + "x") == nil)
            try await record.revokeToken(found.token.digest, by: admin)
            #expect(try await record.authenticate(token: token) == nil)
        }
    }

    @Test("no secret reaches the timeline")
    func noSecrets() async throws {
        try await withRecord(.sqlite) { record, _, _ in
            try await record.createAccount("ada", role: .admin, password: "correct horse", by: admin)
            let token = try await record.createToken("deploy", account: "ada", scopes: [.all], by: admin)
            _ = try await record.signIn("ada", password: "correct horse")
            let lines = try await record.timeline().map { "\($0)" }.joined()
            #expect(!lines.contains("correct horse"))
            #expect(!lines.contains(token))
            #expect(lines.contains("Account ada created as admin."))
        }
    }

    @Test(
        "names and passwords are checked",
        arguments: [("a b", "correct horse"), ("", "correct horse"), ("ada", "short")])
    func invalid(name: String, password: String) async throws {
        try await withRecord(.sqlite) { record, _, _ in
            await #expect(throws: Refusal.self) {
                try await record.createAccount(name, role: .viewer, password: password, by: admin)
            }
        }
    }
}
