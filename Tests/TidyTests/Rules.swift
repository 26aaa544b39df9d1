import Foundation
import Testing

/// One rule of the house: what it looks at, and what it finds.
struct Rule: Sendable, CustomTestStringConvertible {
    var name: String
    var find: @Sendable (SourceFile) throws -> [Violation]

    var testDescription: String { name }

    /// Rules for the Swift files under Sources.
    static let sources: [Rule] = [
        Rule(name: "modules import only what the table of arrows allows") { Arrows.house.violations(in: $0) },
        Rule(name: "Decide has no clock, no chance, no I/O and does not wait") { try Purity.violations(in: $0) },
        Rule(name: "no error is swallowed") { file in
            try file.violations(#"\btry\?"#, "try? swallows an error: handle it, or pass it on")
        },
        Rule(name: "nothing ends the process") { file in
            try file.violations(#"\bfatalError\s*\("#, "fatalError ends the process for everyone: throw")
        },
        Rule(name: "tasks are structured") { file in
            guard file.module != "App" else { return [] }
            return try file.violations(
                #"\bTask\s*(\{|\(|<.*>\s*\{|\.detached\b)"#, "an unstructured task: use a task group or a service")
        },
        Rule(name: "nothing is left to do") { file in
            try file.violations(
                #"\b(TO"# + #"DO|FIX"# + #"ME|XX"# + #"X)\b"#, "do it, or make it an issue", in: file.lines)
        },
        Rule(name: "libraries do not print") { file in
            guard let module = file.module, !["App", "mainstay"].contains(module) else { return [] }
            return try file.violations(#"(?<![\w.])(debugPrint|print|dump)\s*\("#, "print: use the logger")
        },
        Rule(name: "functions fit on a screen") { Lengths.functions(in: $0) },
        Rule(name: "files are short, or say why not") { Lengths.file($0) },
        Rule(name: "lines are at most 120 columns") { Lengths.lines(of: $0) },
        Rule(name: "folders are capabilities") { Folders.violations(in: $0) },
    ]

    /// Rules for the Swift files under Tests.
    static let tests: [Rule] = [
        Rule(name: "files with tests expect something") { Expectations.violations(in: $0) },
        Rule(name: "test functions fit on a screen") { Lengths.functions(in: $0) },
        Rule(name: "lines of tests are at most 120 columns") { Lengths.lines(of: $0) },
    ]

    /// Rules for every file that is kept.
    static let all: [Rule] = [
        Rule(name: "no path of one machine and no registry's host") { Places.violations(in: $0) }
    ]

    /// Rules for Package.swift.
    static let manifest: [Rule] = [
        Rule(name: "every dependency has its reason above it") { Dependencies.violations(in: $0) }
    ]
}

enum Purity {
    private static let words: [(pattern: String, message: String)] = [
        (
            #"\b(Date|ContinuousClock|SuspendingClock|SystemClock|DispatchTime|Clock)\b"#,
            "a clock: time comes in as now"
        ),
        (#"(?<![\w)\]?])\.now\b|\b(Instant|Date|\w*Clock)\.now\b"#, "a clock: time comes in as now"),
        (#"\b(SystemRandomNumberGenerator|randomElement|shuffled?|UUID)\b"#, "chance: it comes in as a value"),
        (#"\brandom\(in:(?!.*using:)"#, "chance: it comes in as a value"),
        (#"\b(FileManager|FileHandle|ProcessInfo|getenv|fopen|readLine|URLSession)\b"#, "I/O has no place in Decide"),
        (#"\b(async|await|Task|AsyncStream|actor)\b(?!\s*:)"#, "Decide does not wait"),
        (#"\b(Mutex|Atomic)\b"#, "Decide shares no state"),
    ]

    static func violations(in file: SourceFile) throws -> [Violation] {
        guard file.module == "Decide" else { return [] }
        return try words.flatMap { try file.violations($0.pattern, $0.message, in: code(of: file)) }
    }

    /// `.actor`, `actor:` and `actor` as a value are nouns of the house; only the declaration is meant.
    private static func code(of file: SourceFile) -> [String] {
        file.code.map { line in
            let words = line.split(separator: " ")
            let declares = zip(words, words.dropFirst()).contains { word, next in
                word == "actor" && next.first?.isUppercase == true
            }
            return declares ? line : line.replacingOccurrences(of: "actor", with: "     ")
        }
    }
}

enum Lengths {
    static let function = 70
    static let file = 500
    static let line = 120

    static func functions(in file: SourceFile) -> [Violation] {
        SwiftFunctions.all(in: file.code).filter { $0.lines > function }.map {
            Violation(
                file: file.path, line: $0.line, message: "a function of \($0.lines) lines; at most \(function)")
        }
    }

    /// A longer file says why within its first ten lines: `// Long because …`
    static func file(_ source: SourceFile) -> [Violation] {
        guard source.lines.count > file, !source.lines.prefix(10).contains(where: { $0.contains("// Long because") })
        else { return [] }
        return [
            Violation(
                file: source.path, line: source.lines.count,
                message: "\(source.lines.count) lines; at most \(file), or '// Long because …' at the top")
        ]
    }

    /// What stands inside strings is not counted: it cannot always be broken.
    static func lines(of source: SourceFile) -> [Violation] {
        zip(source.lines, source.code).enumerated().compactMap { index, pair in
            let length = pair.0.count - pair.1.count { $0 == SwiftText.mark }
            guard length > line else { return nil }
            return Violation(
                file: source.path, line: index + 1, message: "\(length) columns beside strings; at most \(line)")
        }
    }
}

enum Folders {
    /// Shared by the modules of the house, so that a capability is read straight across.
    static let capabilities: Set<String> = [
        "Access", "Alerts", "Changes", "Checks", "Core", "Dashboard", "Exposures", "Flags", "Gates", "Incidents",
        "OnCall", "Outbox", "Pages", "Postmortems", "Queries", "QueryBudgets", "QueryReviews", "Recovery", "Reports",
        "Rollouts", "Services",
        "Time", "Timeline", "Values",
    ]

    /// What only one module has.
    static let own: [String: Set<String>] = [
        "App": ["Client", "Commands", "Configuration", "Drill", "Serve"],
        "Guard": ["Admin", "Clients", "Metrics", "Pools", "Servers", "Settings", "Sockets"],
        "Interop": ["EventStream", "Evidence", "Sarif"],
        "PGWire": ["Authentication", "Messages", "Session", "Startup"],
        "SQL": ["Migrations", "Postgres", "Probe", "Reviews", "SQLite", "Text"],
        "Storefront": [
            "Accounts", "Data", "Faults", "Favorites", "HTTP", "OpenAPI", "Posts", "Products", "Serve",
        ],
        "Web": ["Assets", "Links", "Operations", "Server"],
    ]

    static func violations(in file: SourceFile) -> [Violation] {
        guard let module = file.module, let folder = file.capability, !Arrows.systemLibraries.contains(module),
            !capabilities.contains(folder), own[module]?.contains(folder) != true
        else { return [] }
        return [
            Violation(file: file.path, line: 1, message: "'\(folder)' is no capability of \(module) (see Folders)")
        ]
    }
}

enum Expectations {
    static func violations(in file: SourceFile) -> [Violation] {
        let hasTests = file.code.contains { $0.contains("@Test") }
        let expects = file.code.contains { line in
            ["#expect", "#require", "Issue.record", "confirmation("].contains { line.contains($0) }
        }
        if hasTests, !expects {
            return [Violation(file: file.path, line: 1, message: "its tests expect nothing")]
        }
        if file.name.hasSuffix("Tests.swift"), !hasTests {
            return [Violation(file: file.path, line: 1, message: "its name promises tests, and there are none")]
        }
        return []
    }
}

enum Places {
    /// In pieces, so that this file does not find itself.
    static let words = [
        ["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/Use", "rs/"], ["/opt/sw", "ift"],
        ["registry.npm", "js.org"],
        ["py", "pi.org"], ["files.python", "hosted.org"], ["crates", ".io"], ["proxy.golang", ".org"],
        ["ruby", "gems.org"], ["repo.maven.apache", ".org"], ["deb.debian", ".org"],
    ].map { $0.joined() }

    static func violations(in file: SourceFile) -> [Violation] {
        file.lines.enumerated().flatMap { index, line in
            words.filter { line.contains($0) }.map {
                Violation(file: file.path, line: index + 1, message: "'\($0)' belongs to a machine, not in here")
            }
        }
    }
}

enum Dependencies {
    static func violations(in file: SourceFile) -> [Violation] {
        file.lines.indices.compactMap { index in
            guard file.lines[index].contains(".package(url:") else { return nil }
            let above = index > 0 ? file.lines[index - 1].trimmingCharacters(in: .whitespaces) : ""
            guard !above.hasPrefix("//") else { return nil }
            return Violation(file: file.path, line: index + 1, message: "a dependency without its reason above it")
        }
    }
}

/// Documents go stale in silence; at least the files that they name must be there.
enum Documents {
    /// - Parameter known: paths of all files.
    static func violations(in document: SourceFile, known: Set<String>) throws -> [Violation] {
        let names = Set(known.flatMap(endings))
        let folder = URL(fileURLWithPath: "/" + document.folders.joined(separator: "/"), isDirectory: true)
        var violations: [Violation] = []
        for (index, line) in document.lines.enumerated() {
            let sources = try matches(#"[\w+./-]+\.swift\b"#, line)
            let scripts = try matches(#"(?<![\w./-])(scripts|drills|examples)/[\w./-]*\w"#, line)
            let links = try matches(#"(?<=\]\()[\w./-]+\.(md|yaml|png|svg)(?=[)#])"#, line).map {
                String(folder.appending(path: $0).standardized.path.dropFirst())
            }
            let missing = sources.filter { !names.contains($0) } + (scripts + links).filter { !known.contains($0) }
            violations += missing.map {
                Violation(file: document.path, line: index + 1, message: "there is no file \($0)")
            }
        }
        return violations
    }

    /// `a/b/c`, `b/c`, `c`: documents leave out what goes without saying.
    private static func endings(of path: String) -> [String] {
        let parts = path.split(separator: "/")
        return parts.indices.map { parts[$0...].joined(separator: "/") }
    }

    private static func matches(_ pattern: String, _ line: String) throws -> [String] {
        let whole = NSRange(line.startIndex..., in: line)
        return try NSRegularExpression(pattern: pattern).matches(in: line, range: whole).compactMap {
            Range($0.range, in: line).map { String(line[$0]) }
        }
    }
}
