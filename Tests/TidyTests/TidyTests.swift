import Foundation
import Testing

@Suite("The repository is tidy")
struct TidyTests {
    @Test("Sources", arguments: Rule.sources)
    func sources(rule: Rule) throws {
        try hold(rule, for: try Repository.swift("Sources"))
    }

    @Test("Tests", arguments: Rule.tests)
    func tests(rule: Rule) throws {
        try hold(rule, for: try Repository.swift("Tests"))
    }

    @Test("Every file", arguments: Rule.all)
    func everything(rule: Rule) throws {
        try hold(rule, for: try Repository.files.get())
    }

    @Test("Package.swift", arguments: Rule.manifest)
    func manifest(rule: Rule) throws {
        try hold(rule, for: [try #require(try Repository.read("Package.swift"))])
    }

    @Test("every folder of Sources is in the table of arrows, and the table names nothing else")
    func tableIsWhole() throws {
        let folders = Set(try Repository.swift("Sources").compactMap(\.module))
        #expect(folders == Set(Arrows.house.allowed.keys))
    }

    @Test("every module has its tests, what holds across modules has a target of its own, and all of them are run")
    func testTargets() throws {
        // `mainstay` only calls App; EndToEndTests start it as a whole.
        let modules = Set(try Repository.swift("Sources").compactMap(\.module)).subtracting(["mainstay"])
        let acrossModules = ["StoreContract", "Simulation", "Tidy", "EndToEnd", "Browser"]
        let folders = Set(try Repository.swift("Tests").compactMap { $0.folders.count > 1 ? $0.folders[1] : nil })
        #expect(folders.filter { $0.hasSuffix("Tests") } == Set(modules.union(acrossModules).map { $0 + "Tests" }))
        // The others are what tests share. A folder that the manifest does not name would be passed over in silence.
        let manifest = try #require(try Repository.read("Package.swift")).lines.joined(separator: "\n")
        for folder in folders {
            #expect(folder.hasSuffix("Tests") || folder.hasSuffix("Support"), "\(folder)")
            #expect(manifest.contains("name: \"\(folder)\""), "\(folder)")
        }
    }

    @Test("documents name only files that exist")
    func documents() throws {
        let known = Set(try Repository.allPaths.get())
        let violations = try Repository.files.get().filter { $0.path.hasSuffix(".md") }
            .flatMap { try Documents.violations(in: $0, known: known) }
        let list = violations.map(\.description).joined(separator: "\n")
        #expect(violations.isEmpty, "\(list)")
    }

    private func hold(_ rule: Rule, for files: [SourceFile]) throws {
        #expect(!files.isEmpty)
        let violations = try files.flatMap { try rule.find($0) }
        let list = violations.map(\.description).joined(separator: "\n")
        #expect(violations.isEmpty, "\(rule.name):\n\(list)")
    }
}
