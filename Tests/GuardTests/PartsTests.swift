import NIOCore
import PGWire
import Testing

@testable import Guard

struct PartsTests {
    @Test(
        "a release is what follows the last @ of an application's name, and is known together with the application's",
        arguments: [
            ("shop@5f2c1e7", "shop@5f2c1e7"), ("shop", nil), ("shop@", nil), ("a@b@c", "a@b@c"), ("@x", "x"),
            ("shop@" + String(repeating: "x", count: 65), nil),
            (String(repeating: "s", count: 122) + "@5f2c1", String(repeating: "s", count: 122) + "@5f2c1"),
            (String(repeating: "s", count: 123) + "@5f2c1", "5f2c1"),
        ] as [(String, String?)])
    func release(_ name: String, _ release: String?) {
        #expect(Release.name(in: name) == release)
    }

    @Test("what differs between two sessions is set, quoted, and nothing that cannot be set")
    func difference() {
        let one = SessionParameters([
            "TimeZone": "UTC", "application_name": "it's \\ \"me\"", "server_version": "15", "is_superuser": "on",
        ])
        let other = SessionParameters(["TimeZone": "UTC", "application_name": "", "server_version": "16"])
        #expect(one.difference(from: other) == #"SET "application_name" TO E'it''s \\ "me"'"#)
        #expect(one.difference(from: one) == nil)
    }

    @Test("a cancel key matches itself, whole, and nothing else")
    func cancelKey() {
        var generator = SystemRandomNumberGenerator()
        let key = CancelKey(using: &generator)
        #expect(key.matches(key.secretBytes))
        #expect(!key.matches([]))
        #expect(!key.matches(key.secretBytes + [0]))
        #expect(!key.matches(key.secretBytes.map { $0 ^ 1 }))
    }

    @Test("two spellings of one letter are two users, with a pool each")
    func spellings() {
        let (one, other) = ("\u{E9}", "e\u{301}")
        #expect(one == other)
        #expect(PoolKey(database: "d", user: one) != PoolKey(database: "d", user: other))
    }

    @Test("an SQLSTATE is its five letters")
    func sqlState() {
        #expect(SQLState("57014").description == "57014")
        #expect(SQLState("57014") == .queryCanceled)
    }
}
