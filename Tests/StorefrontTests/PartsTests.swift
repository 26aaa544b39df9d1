import Foundation
import TestSupport
import Testing

@testable import Storefront

@Suite("The parts")
struct PartsTests {
    @Test(
        "a form's fields are read as browsers write them",
        arguments: [
            ("", [:]), ("a=1&b=2", ["a": "1", "b": "2"]), ("a=x+y%20z", ["a": "x y z"]), ("a", ["a": ""]),
            ("a=b=c", ["a": "b=c"]), ("%C3%BC=%E2%82%AC", ["ü": "€"]), ("a=&&b=1", ["a": "", "b": "1"]),
        ] as [(String, [String: String])])
    func formFields(text: String, values: [String: String]) throws {
        let fields = try FormFields(parsing: text)
        for (name, value) in values { #expect(fields[name] == value) }
        #expect(fields["none"] == nil)
    }

    @Test("what is encoded is read back", arguments: ["", "a b", "ü&=+%", "/posts?x=1#y", "🌻\n"])
    func encode(text: String) throws {
        #expect(try FormFields(parsing: "v=\(FormFields.encode(text))")["v"] == text)
    }

    @Test("broken form fields are refused", arguments: ["a=%", "a=%4", "a=%GG", "a=%ff", "a=%C3", "a=1&a=2"])
    func brokenFormFields(text: String) {
        #expect(throws: Problem.self) { try FormFields(parsing: text) }
    }

    @Test("more fields than any form has are refused")
    func tooManyFields() {
        let text = (0..<33).map { "f\($0)=1" }.joined(separator: "&")
        #expect(throws: Problem.self) { try FormFields(parsing: text) }
    }

    @Test("text in markup is escaped, markup is not")
    func html() {
        let text = "<b> & \"x\" 'y'"
        let inner: HTML = "<i>\(text)</i>"
        let outer: HTML = "<p title=\"\(text)\">\(inner)\([inner])\(7)</p>"
        let safe = "&lt;b&gt; &amp; &quot;x&quot; &#39;y&#39;"
        #expect(outer.text == "<p title=\"\(safe)\"><i>\(safe)</i><i>\(safe)</i>7</p>")
    }

    @Test(
        "times are RFC 3339 in UTC",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (1_696_672_080_000, "2023-10-07T09:48:00.000Z"), (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
        ] as [(Int64, String)])
    func timestamps(milliseconds: Int64, text: String) {
        #expect(rfc3339(milliseconds) == text)
    }

    @Test(
        "e-mail addresses are told from other text",
        arguments: [
            ("a@b.test", true), ("A.b+c@sub.example.org", true), ("a@b", false), ("@b.test", false), ("a@.test", false),
            ("a b@c.test", false), ("a@b@c.test", false), ("ü@b.test", false), ("a@b.te st", false),
            (String(repeating: "a", count: 65) + "@b.test", false),
        ])
    func emails(text: String, isGood: Bool) {
        var validator = Validator()
        _ = validator.email("email", text)
        #expect(validator.fields.isEmpty == isGood)
    }

    @Test(
        "ids are digits without sign or leading zero",
        arguments: ["", "0", "01", "+1", "-1", "1e3", "٣", "1234567890123456789"])
    func noIDs(text: String) {
        #expect(parseID(text) == nil)
        #expect(parseID("123456789012345678") == 123_456_789_012_345_678)
        #expect(parseID(nil) == nil)
    }

    @Test(
        "prices have two decimals",
        arguments: [(5, "0.05"), (1_990, "19.90"), (100_000, "1000.00")] as [(Int64, String)])
    func prices(cents: Int64, text: String) {
        #expect(Product.price(cents: cents) == text)
    }

    @Test("secrets come from the file, else from the environment")
    func secrets() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory + "/secret"
            try "  from file \nsecond line\n".write(toFile: file, atomically: true, encoding: .utf8)
            let environment = ["X": "from environment", "EMPTY": ""]
            #expect(try Secret.read(file: file, variable: "X", environment: environment) == "from file")
            #expect(try Secret.read(file: nil, variable: "X", environment: environment) == "from environment")
            #expect(try Secret.read(file: nil, variable: "EMPTY", environment: environment) == nil)
            #expect(try Secret.read(file: nil, variable: "Y", environment: environment) == nil)
            #expect(throws: (any Error).self) {
                try Secret.read(file: directory + "/none", variable: "X", environment: environment)
            }
            try "\n".write(toFile: file, atomically: true, encoding: .utf8)
            #expect(throws: (any Error).self) { try Secret.read(file: file, variable: "X", environment: [:]) }
        }
    }

    @Test("a limit of uses forgets the oldest keys rather than grow")
    func rateLimitIsBounded() throws {
        let clock = TestClock()
        let limit = RateLimit(limit: 1, windowMilliseconds: 1_000, clock: clock.wall)
        for key in 0..<(RateLimit.keyLimit + 10) { try limit.use("key \(key)", detail: "no") }
        try limit.use("key 0", detail: "no")
        #expect(throws: Problem.self) { try limit.use("key 0", detail: "no") }
    }
}
