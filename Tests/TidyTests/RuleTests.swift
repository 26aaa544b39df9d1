import Testing

/// A snippet, and the lines at which a rule must object to it.
struct Sample: Sendable, CustomTestStringConvertible {
    var rule: String
    var path = "Sources/Record/Flags/Sample.swift"
    var text: String
    var lines: [Int]

    var testDescription: String { "\(rule) (\(lines.isEmpty ? "good" : "bad"))" }
}

@Suite("The tidy rules themselves")
struct RuleTests {
    private static let rules = Rule.sources + Rule.tests + Rule.all + Rule.manifest

    @Test("find what they are for, and nothing else", arguments: samples + purity + shapes)
    func finds(sample: Sample) throws {
        let rule = try #require(Self.rules.first { $0.name == sample.rule })
        let found = try rule.find(SourceFile(path: sample.path, text: sample.text))
        #expect(Set(found.map(\.line)) == Set(sample.lines), "\(found)")
        #expect(found.allSatisfy { $0.file == sample.path })
    }

    @Test("each has a sample that it objects to")
    func allAreTried() {
        let tried = Set((Self.samples + Self.purity + Self.shapes).filter { !$0.lines.isEmpty }.map(\.rule))
        #expect(Set(Self.rules.map(\.name)).subtracting(tried).isEmpty)
    }

    @Test("Observe, Act and Explain never know one another, nor the doors")
    func verbsAreApart() throws {
        for verb in ["Observe", "Act", "Explain"] {
            let allowed = try #require(Arrows.house.allowed[verb])
            #expect(allowed.isDisjoint(with: Set(["Observe", "Act", "Explain", "Web", "App"]).subtracting([verb])))
        }
    }

    @Test(
        "each library is known only where it belongs",
        arguments: [
            ("GRDB", ["SQL"]), ("CLibPQ", ["SQL"]), ("CCurl", ["Act"]), ("Hummingbird", ["Storefront", "Web"]),
            ("Yams", ["App"]), ("Subprocess", ["App"]), ("Mustache", ["Web"]),
        ])
    func librariesHaveHomes(library: String, homes: [String]) {
        #expect(Arrows.house.allowed.filter { $0.value.contains(library) }.keys.sorted() == homes)
    }

    @Test("a document's files are looked for by the end of their path")
    func documents() throws {
        let text = """
            `Flags/Flag.swift`, Gone.swift and scripts/run
            [one](other.md), [two](gone.md), [three](../docs/other.md), scripts/gone
            """
        let known: Set<String> = ["Sources/Decide/Flags/Flag.swift", "scripts/run", "docs/other.md"]
        let found = try Documents.violations(in: SourceFile(path: "docs/a.md", text: text), known: known)
        #expect(
            found.map(\.description) == [
                "docs/a.md:1: there is no file Gone.swift", "docs/a.md:2: there is no file scripts/gone",
                "docs/a.md:2: there is no file docs/gone.md",
            ])
    }

    @Test("comments and strings are not code")
    func blanks() {
        let text = #"""
            let a = "try? \(b("x") + c)" // try?
            /* one /* two */ try? */ let d = #"\n "try?" "# + """
              try? \(e)
              """
            f()
            """#
        let blanked = SwiftText.blanked(text)
        #expect(!blanked.contains("try?"))
        #expect(blanked.contains("let a = "))
        #expect(blanked.contains(" let d = #\""))
        #expect(blanked.contains("f()"))
        #expect(blanked.split(separator: "\n").count == text.split(separator: "\n").count)
    }

    @Test("functions are measured from their first line to the closing brace")
    func measures() {
        let code = """
            protocol P {
                func a() async throws -> Int
                func b()
            }
            struct S: P {
                init() { self.init(x: 1) }
                func a(
                    _ f: () -> Void = {}
                ) async throws
                    -> Int
                {
                    1
                }
            }
            """.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let functions = SwiftFunctions.all(in: code)
        #expect(functions.map(\.line) == [6, 7])
        #expect(functions.map(\.lines) == [1, 7])
    }
}

extension RuleTests {
    private static let arrows = "modules import only what the table of arrows allows"
    private static let places = "no path of one machine and no registry's host"
    private static let reasons = "every dependency has its reason above it"

    static let samples: [Sample] = [
        Sample(rule: arrows, path: "Sources/Act/Pages/A.swift", text: "import Decide\nimport Observe\n", lines: [2]),
        Sample(
            rule: arrows, path: "Sources/Explain/A.swift", text: "@preconcurrency import struct SQL.Row", lines: [1]),
        Sample(rule: arrows, path: "Sources/Record/A.swift", text: "import GRDB", lines: [1]),
        Sample(
            rule: arrows, path: "Sources/Decide/A.swift", text: "// import Foundation\nimport Foundation", lines: [2]),
        Sample(rule: arrows, path: "Sources/New/A.swift", text: "let a = 1", lines: [1]),
        Sample(rule: arrows, path: "Sources/SQL/A.swift", text: "import GRDB\nlet a = \"import Web\"", lines: []),
        Sample(rule: "no error is swallowed", text: "let a = try? b()\nlet c = \"try?\"  // try?", lines: [1]),
        Sample(rule: "nothing ends the process", text: "\nfatalError(\"no\")", lines: [2]),
        Sample(
            rule: "tasks are structured", text: "Task { }\nTask.detached { }\nTask(priority: .low) { }",
            lines: [1, 2, 3]),
        Sample(rule: "tasks are structured", text: "try Task.checkCancellation()\ngroup.addTask { }", lines: []),
        Sample(rule: "tasks are structured", path: "Sources/App/Serve/A.swift", text: "Task { }", lines: []),
        Sample(rule: "nothing is left to do", text: "a()\n// TO" + "DO: b\n// todos", lines: [2]),
        Sample(rule: "libraries do not print", text: "print(1)\nself.print(2)\nfingerprint(3)", lines: [1]),
        Sample(rule: "libraries do not print", path: "Sources/App/Commands/A.swift", text: "print(1)", lines: []),
        Sample(rule: "folders are capabilities", path: "Sources/Record/Helpers/A.swift", text: "", lines: [1]),
        Sample(rule: "folders are capabilities", path: "Sources/Record/Drill/A.swift", text: "", lines: [1]),
        Sample(rule: "folders are capabilities", path: "Sources/App/Drill/A.swift", text: "", lines: []),
        Sample(rule: places, path: "docs/a.md", text: "ok\ncd \(Places.words[0])main", lines: [2]),
        Sample(rule: places, path: "docs/a.md", text: "https://\(Places.words[6])/simple", lines: [1]),
        Sample(rule: places, path: "docs/a.md", text: "cd mainstay\n/var/lib/mainstay", lines: []),
        Sample(
            rule: reasons, path: "Package.swift",
            text: "// Why.\n.package(url: \"a\", from: \"1.0.0\"),\n.package(url: \"b\", from: \"1.0.0\"),", lines: [3]),
        Sample(
            rule: "files with tests expect something", path: "Tests/ATests/ATests.swift",
            text: "@Test func a() { b() }  // #expect(c)", lines: [1]),
        Sample(
            rule: "files with tests expect something", path: "Tests/ATests/ATests.swift", text: "let a = 1", lines: [1]),
        Sample(
            rule: "files with tests expect something", path: "Tests/ATests/House.swift", text: "let a = 1", lines: []),
        Sample(
            rule: "files with tests expect something", path: "Tests/ATests/ATests.swift",
            text: "@Test func a() { #expect(b) }", lines: []),
    ]

    static let purity: [Sample] = [
        ("let at = Date()", [1]), ("let at = ContinuousClock.now", [1]), ("step(at: .now)", [1]), ("input.now", []),
        ("Int.random(in: 1...6)", [1]), ("Int.random(in: 1...6, using: &generator)", []), ("case random(Int)", []),
        ("list.shuffled()", [1]), ("FileManager.default", [1]), ("func a() async {}", [1]), ("await b()", [1]),
        ("actor Counter {}", [1]), ("var actor: Actor", []), ("by: input.actor", []), ("// await Date()", []),
        ("let lock = Mutex(0)", [1]), ("\"Task\"", []),
    ].map { text, lines in
        Sample(
            rule: "Decide has no clock, no chance, no I/O and does not wait",
            path: "Sources/Decide/Flags/A.swift", text: text, lines: lines)
    }

    private static func function(lines: Int) -> String {
        "\nfunc a() {\n" + String(repeating: "    b()\n", count: lines - 2) + "}\n"
    }

    static let shapes: [Sample] = [
        Sample(rule: "functions fit on a screen", text: function(lines: 71), lines: [2]),
        Sample(rule: "functions fit on a screen", text: function(lines: 70), lines: []),
        Sample(rule: "test functions fit on a screen", text: function(lines: 71), lines: [2]),
        Sample(
            rule: "files are short, or say why not", text: String(repeating: "a()\n", count: 500), lines: [501]),
        Sample(
            rule: "files are short, or say why not",
            text: "// Long because it is a table.\n" + String(repeating: "a()\n", count: 500), lines: []),
        Sample(
            rule: "lines are at most 120 columns",
            text: "a()\nlet \(String(repeating: "a", count: 120))\n// \(String(repeating: "b", count: 120))",
            lines: [2, 3]),
        Sample(
            rule: "lines are at most 120 columns",
            text:
                "let a = \"\(String(repeating: "a", count: 120))\"\nlet b = \"\"\"\n    \(String(repeating: "ä", count: 120))\n    \"\"\"",
            lines: []),
        Sample(
            rule: "lines of tests are at most 120 columns",
            text: "let a = b\(String(repeating: "b", count: 120))", lines: [1]),
    ]
}
