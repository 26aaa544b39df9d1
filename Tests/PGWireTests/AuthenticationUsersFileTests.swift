import Testing

@testable import PGWire

@Suite("Users files")
struct AuthenticationUsersFileTests {
    @Test("are read as PgBouncer writes them")
    func reads() throws {
        let scram = try String(decoding: AuthenticationScene.verifier("x").text, as: UTF8.self)
        let file = try UsersFile.parse(
            #"""
            ; a comment
            # another
              \#t
            "alice" "secret"
            \#t"bob""s" "se""cret""" "ignored" ; and this
            "md5" "md54a0a68b43b6cd5cf266fa02f196e2371" # a hash
            "scram""""" "\#(scram)"\#r
            "nobody" ""
            "ü, ;#" "\a;#b"
            """#)
        let expected: [(String, StoredSecret?)] = [
            ("alice", StoredSecret(text: "secret")), ("bob\"s", StoredSecret(text: "se\"cret\"")),
            ("md5", StoredSecret(text: "md54a0a68b43b6cd5cf266fa02f196e2371")),
            ("scram\"\"", .scram(try AuthenticationScene.verifier("x"))), ("nobody", nil),
            ("ü, ;#", StoredSecret(text: "\\a;#b")),
        ]
        #expect(file.count == expected.count)
        for (user, secret) in expected {
            #expect(file.contains(user))
            #expect(file.secret(of: user) == secret, "\(user)")
        }
        #expect(!file.contains("bob"))
        #expect(file.secret(of: "bob") == nil)
    }

    @Test("tell names apart byte by byte, as PostgreSQL does")
    func names() throws {
        let file = try UsersFile.parse("\"\u{E9}\" \"one\"\n\"e\u{301}\" \"other\"")
        #expect(file.secret(of: "\u{E9}") == StoredSecret(text: "one"))
        #expect(file.secret(of: "e\u{301}") == StoredSecret(text: "other"))
        #expect(try !UsersFile.parse("\"\u{E9}\" \"one\"").contains("e\u{301}"))
    }

    @Test("are prepared for SCRAM as a whole")
    func prepared() throws {
        var file = try UsersFile.parse("\"a\" \"x\"\n\"b\" \"\"\n\"c\" \"md54a0a68b43b6cd5cf266fa02f196e2371\"")
        try file.prepare(mock: AuthenticationScene.mock)
        guard case .plain(_, verifier: .some) = file.secret(of: "a") else {
            Issue.record("not prepared")
            return
        }
        #expect(file.contains("b") && file.secret(of: "b") == nil)
        #expect(file.secret(of: "c") == StoredSecret(text: "md54a0a68b43b6cd5cf266fa02f196e2371"))
    }

    @Test("may be empty", arguments: ["", "\n\n", "; nothing"])
    func empty(text: String) throws {
        #expect(try UsersFile.parse(text).count == 0)
    }

    @Test(
        "say at which line they cannot be read, and never a secret",
        arguments: [
            ("alice \"hunter2\"", 1), ("\"alice\"", 1), ("\"alice\" hunter2", 1), ("\"alice\" \"hunter2", 1),
            ("\"alice\" \"hunter2\" x", 1), ("\"alice\" \"hunter2\" \"", 1), ("\"\" \"hunter2\"", 1),
            ("# x\r\n\n\"a\" \"hunter2\"\n\"a\" \"hunter2\"", 4), ("\"a\" \"SCRAM-SHA-256$hunter2\"", 1),
            ("\"a\" \"hunter2\0\"", 1), ("\"\(String(repeating: "a", count: 129))\" \"hunter2\"", 1),
            ("\n\"a\" \"\(String(repeating: "hunter2", count: 300))\"", 2),
        ])
    func problems(text: String, line: Int) {
        let problem = #expect(throws: UsersFile.Problem.self) { try UsersFile.parse(text) }
        #expect(problem?.line == line)
        #expect(problem?.description.contains("hunter2") == false)
        #expect(problem?.description.hasPrefix("line \(line): ") == true)
    }

    @Test("have bounds")
    func bounds() throws {
        let users = (0...UsersFile.userLimit).map { "\"u\($0)\" \"x\"" }
        #expect(try UsersFile.parse(users.dropLast().joined(separator: "\n")).count == UsersFile.userLimit)
        let many = #expect(throws: UsersFile.Problem.self) { try UsersFile.parse(users.joined(separator: "\n")) }
        #expect(many?.line == UsersFile.userLimit + 1)
        let large = #expect(throws: UsersFile.Problem.self) {
            try UsersFile.parse(String(repeating: "\n", count: UsersFile.sizeLimit + 1))
        }
        #expect(large?.line == 0)
    }
}
