import Decide
import Interop
import Testing

struct JUnitTests {
    struct Expected: Sendable, CustomTestStringConvertible {
        var tool: String
        var text: String
        var cases: Int
        var failing: [String]
        var skipped: Int
        var suiteErrors = 0

        var testDescription: String { tool }
    }

    @Test(
        "counts what each tool reports",
        arguments: [
            Expected(
                tool: "XCTest", text: JUnitSamples.xctest, cases: 3,
                failing: ["ShopTests.FavoritesTests.testListShowsIt"], skipped: 0),
            Expected(
                tool: "Swift Testing", text: JUnitSamples.swiftTesting, cases: 3,
                failing: ["ShopTests.Favorites.\"the list shows it\""], skipped: 1),
            Expected(
                tool: "gotestsum", text: JUnitSamples.gotestsum, cases: 3,
                failing: ["example.test/shop/posts.TestMain"], skipped: 0),
            Expected(
                tool: "gotestsum, build failure", text: JUnitSamples.gotestsumBuildFailure, cases: 1, failing: [],
                skipped: 0, suiteErrors: 2),
            Expected(
                tool: "pytest", text: JUnitSamples.pytest, cases: 5,
                failing: ["tests.test_favorites.test_list", "tests.test_posts.test_read"], skipped: 2),
            Expected(
                tool: "Surefire", text: JUnitSamples.surefire, cases: 3,
                failing: ["test.shop.FavoritesTest.removes"], skipped: 0),
        ])
    func counts(expected: Expected) throws {
        let report = try JUnit.parse(Array(expected.text.utf8))
        #expect(report.cases.count == expected.cases)
        #expect(report.cases.filter(\.isFailing).map(\.title) == expected.failing)
        #expect(report.cases.count { $0.outcome == .skipped } == expected.skipped)
        #expect(report.suiteErrors == expected.suiteErrors)
    }

    @Test("tells failures from errors, and says the first line of why")
    func messages() throws {
        let pytest = try JUnit.parse(Array(JUnitSamples.pytest.utf8)).cases
        #expect(pytest.map(\.outcome) == [.passed, .failed, .error, .skipped, .skipped])
        #expect(
            pytest.map(\.message)
                == [nil, "assert 0 == 1", "failed on setup with \"OSError: no database\"", "slow", nil])
        let surefire = try JUnit.parse(Array(JUnitSamples.surefire.utf8)).cases
        #expect(surefire.map(\.message) == [nil, nil, "expected: <204> but was: <500>"])
    }

    @Test("joins the names of nested suites")
    func nesting() throws {
        let text = """
            <testsuites name="all"><testsuite name="api"><testsuite name="favorites"><testcase name="a"/></testsuite>
            <testcase name="b"/></testsuite><testcase name="c"/></testsuites>
            """
        let cases = try JUnit.parse(Array(text.utf8)).cases
        #expect(cases.map(\.suite) == ["all/api/favorites", "all/api", "all"])
        #expect(cases.map(\.title) == ["all/api/favorites.a", "all/api.b", "all.c"])
    }

    @Test(
        "is not a pass when a suite failed without a failing case",
        arguments: [
            #"<testsuites errors="1"><testsuite><testcase name="a"/></testsuite></testsuites>"#,
            #"<testsuites><testsuite errors="1" failures="1"><testcase name="a"><failure/></testcase></testsuite></testsuites>"#,
            #"<testsuites errors="1"><testsuite errors="1"><testcase name="a"/></testsuite></testsuites>"#,
            #"<testsuite><testcase name="a"/><error message="set-up failed">x</error></testsuite>"#,
            #"<testsuite errors="1"><testcase name="a"/><error message="set-up failed">x</error></testsuite>"#,
        ])
    func suiteErrors(text: String) throws {
        let report = try JUnit.parse(Array(text.utf8))
        #expect(report.suiteErrors == 1)
        #expect(report.suiteErrorMessages.count == 1)
        let evidence = report.evidence(commit: "c", source: "s", digest: "d", tests: "a")
        #expect(evidence.failed == 1 + report.cases.count(where: \.isFailing))
    }

    @Test(
        "believes an attribute that says what became of the case",
        arguments: [
            (#"status="notrun""#, JUnitCase.Outcome.skipped), (#"status="run" result="completed""#, .passed),
            (#"status="failed""#, .failed), (#"status="passed""#, .passed), (#"result="skipped""#, .skipped),
        ])
    func statuses(attributes: String, outcome: JUnitCase.Outcome) throws {
        let text = "<testsuite><testcase name='a' \(attributes)/></testsuite>"
        #expect(try JUnit.parse(Array(text.utf8)).cases.map(\.outcome) == [outcome])
    }

    @Test(
        "says where a broken report is broken",
        arguments: [
            ("", "line 1, column 1: there is no XML element in it"),
            ("no tests were run", "line 1, column 1: this is not XML"),
            (
                "<html><body/></html>",
                "line 1, column 1: a test report begins with <testsuites> or <testsuite>, not <html>"
            ),
            ("<testsuite>\n <testcase name='a'>", "line 2, column 21: the file ends inside <testcase>"),
            ("<testsuite>\n </testsuites>", "line 2, column 2: </testsuites> where </testsuite> is expected"),
            ("<testsuite></testsuite></a>", "line 1, column 24: </a> closes nothing"),
            ("<testsuite/><testsuite/>", "line 1, column 13: a second element beside the document's first"),
            ("<testsuite/>done", "line 1, column 13: text after the document's element"),
            ("<testsuite name=a/>", "line 1, column 17: the value of the attribute 'name' is not in quotes"),
            ("<testsuite name/>", "line 1, column 16: '=' is missing after the attribute 'name'"),
            ("<testsuite name='a/>", "line 1, column 21: the value of the attribute 'name' does not end"),
            ("<testsuite a='1' a='2'/>", "line 1, column 18: the attribute 'a' appears twice"),
            ("<testsuite>é &nbsp;</testsuite>", "line 1, column 14: the entity &nbsp; is not known"),
            ("<testsuite>a & b</testsuite>", "line 1, column 14: '&' does not begin a reference such as &amp;"),
            ("<testsuite><![CDATA[x</testsuite>", "line 1, column 12: a CDATA section does not end"),
            ("<testsuite><!-- x</testsuite>", "line 1, column 12: a comment does not end"),
            ("<testsuite", "line 1, column 11: <testsuite> is not well-formed here"),
            ("< testsuite/>", "line 1, column 2: a name is expected here"),
            (
                "<!DOCTYPE t [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><testsuite>&a;</testsuite>",
                "line 1, column 1: document types and entities of one's own are not read"
            ),
            (
                "<?xml version='1.0' encoding='UTF-7'?><testsuite/>",
                "line 1, column 1: the encoding 'utf-7' is not read, only UTF-8 is"
            ),
        ])
    func broken(text: String, message: String) {
        let error = #expect(throws: JUnitError.self) { try JUnit.parse(Array(text.utf8)) }
        #expect(error?.description == message)
    }

    @Test("refuses what is not UTF-8")
    func encodings() {
        let latin = Array("<testsuite name='caf".utf8) + [0xE9] + Array("'/>".utf8)
        #expect(throws: JUnitError(line: 1, column: 21, message: "this is not UTF-8")) { try JUnit.parse(latin) }
        let wide: [UInt8] = [0xFF, 0xFE, 0x3C, 0x00]
        #expect(throws: JUnitError.self) { try JUnit.parse(wide) }
    }

    @Test("has limits on size, cases and nesting")
    func limits() {
        let deep = String(repeating: "<testsuite>", count: 65)
        let many =
            "<testsuite>" + String(repeating: "<testcase name='a'/>", count: JUnit.caseLimit + 1) + "</testsuite>"
        let large = "<testsuite>" + String(repeating: " ", count: JUnit.byteLimit) + "</testsuite>"
        for (text, message) in [
            (deep, "elements are nested more than 64 deep"), (many, "there are more than 100000 test cases"),
            (large, "the report is larger than 8 MiB"),
        ] {
            let error = #expect(throws: JUnitError.self) { try JUnit.parse(Array(text.utf8)) }
            #expect(error?.message == message)
        }
    }

    @Test("keeps long texts short")
    func longTexts() throws {
        let long = String(repeating: "é", count: 20_000)
        let text =
            "<testsuite><testcase name='\(long)'><failure message='\(long)'>\(long)</failure></testcase></testsuite>"
        let found = try #require(try JUnit.parse(Array(text.utf8)).cases.first)
        #expect(found.name.count <= 300)
        #expect(found.message?.count ?? 0 <= 500)
    }

    @Test("reads comments, references and characters that XML forbids")
    func characters() throws {
        let text =
            "\u{FEFF}<?xml version=\"1.0\"?><!-- a --><testsuite><testcase name='&#x41;&#66;&lt;&#27;\u{1B}'/></testsuite><!-- b -->\n"
        #expect(try JUnit.parse(Array(text.utf8)).cases.map(\.name) == ["AB<\u{FFFD}\u{1B}"])
    }

    @Test("becomes evidence for the feature whose tests ran")
    func evidence() throws {
        let report = try JUnit.parse(Array(JUnitSamples.pytest.utf8))
        let expected = TestEvidence(
            commit: "abc", source: "report.xml", digest: "00", cases: 5, skipped: 2,
            failing: ["tests.test_favorites.test_list", "tests.test_posts.test_read"], failed: 2, featureCases: 2,
            featureFailed: 1)
        #expect(report.evidence(commit: "abc", source: "report.xml", digest: "00", tests: "Favorites") == expected)
        #expect(report.evidence(commit: "abc", source: "r", digest: "00", tests: "posts").featureCases == 1)
        #expect(report.evidence(commit: "abc", source: "r", digest: "00", tests: "").featureCases == 0)
    }

    @Test("names at most fifty failing cases and counts all")
    func manyFailures() throws {
        let cases = (0..<80).map { "<testcase name='t\($0)'><failure message='x'/></testcase>" }.joined()
        let report = try JUnit.parse(Array("<testsuite>\(cases)</testsuite>".utf8))
        let evidence = report.evidence(commit: "c", source: "s", digest: "d", tests: "t")
        #expect(evidence.failing.count == 50)
        #expect(evidence.failed == 80)
        #expect(evidence.featureFailed == 80)
    }

    @Test("takes a mutated report or refuses it with a place", arguments: 0..<6)
    func fuzz(sample: Int) {
        var generator = SeededGenerator(seed: UInt64(sample) &+ 41)
        let original = Array(JUnitSamples.all[sample].utf8)
        for _ in 0..<400 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(Array("<>&;'\"/![]-?".utf8).randomElement(using: &generator) ?? 0, at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + 20))
                }
            }
            do throws(JUnitError) {
                let report = try JUnit.parse(bytes)
                #expect(report.cases.count <= 20)
            } catch {
                #expect(error.line >= 1 && error.column >= 1 && !error.message.isEmpty)
            }
        }
    }
}

private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
