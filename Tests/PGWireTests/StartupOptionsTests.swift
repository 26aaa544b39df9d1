import Testing

@testable import PGWire

@Suite("The start-up parameter options")
struct StartupOptionsTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var text: String
        /// `name=value` each.
        var settings: [String]

        init(_ text: String, _ settings: String...) {
            self.text = text
            self.settings = settings
        }

        var testDescription: String { text.debugDescription }
    }

    @Test(
        "are read in every syntax",
        arguments: [
            Sample(""), Sample("  \t\n "), Sample("--"),
            Sample("-c a=1", "a=1"), Sample("-ca=1", "a=1"), Sample("--a=1", "a=1"),
            Sample(" -c  a=1   --b=2\t-cc=3 ", "a=1", "b=2", "c=3"),
            Sample("--statement-timeout=5s", "statement_timeout=5s"), Sample("-c work-mem=1-2", "work_mem=1-2"),
            Sample(#"-c search_path=a,\ b"#, "search_path=a, b"),
            Sample(#"-c\ a=1"#, " a=1"),
            Sample(#"-c a=x\\y\-\"#, #"a=x\y-"#),
            Sample("-c a=\\\tb", "a=\tb"),
            Sample("-c a=", "a="), Sample("-c a==b=", "a==b="), Sample("-c a=ü", "a=ü"),
            Sample("-c a=1 -c a=2", "a=1", "a=2"), Sample("-c app.name=x", "app.name=x"),
            Sample("-c --a=1", "__a=1"), Sample("-c a=1 --", "a=1"), Sample("-c a=e\u{301}", "a=e\u{301}"),
        ])
    func syntaxes(sample: Sample) throws {
        let settings = try StartupOptions.parse(sample.text)
        #expect(settings.map { "\($0.name)=\($0.value)" } == sample.settings)
    }

    @Test(
        "are refused when they are none",
        arguments: [
            ("-c", "42601"), ("-c a", "42601"), ("-ca", "42601"), ("--a", "42601"), ("-c =1", "42601"),
            ("--=1", "42601"), ("a=1", "42601"), ("-c a=1 b", "42601"), ("-", "42601"), ("-- -c a=1", "42601"),
            ("-S 64", "0A000"), ("-e", "0A000"), ("-d5", "0A000"),
        ])
    func refused(text: String, sqlState: String) {
        let error = #expect(throws: WireError.self) { try StartupOptions.parse(text) }
        #expect(error?.sqlState == sqlState)
    }

    @Test("an equals sign that wears an accent is one to PostgreSQL, and so here")
    func accents() throws {
        let settings = try StartupOptions.parse("-c a=\u{301}b")
        #expect(settings.map(\.name) == ["a"])
        #expect(settings.map { Array($0.value.utf8) } == [[0xCC, 0x81, 0x62]])
    }
}
