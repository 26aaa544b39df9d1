import Foundation
import Testing

@testable import App

/// What is shown to users works.
struct ConfigurationReferenceTests {
    private static let environment = [
        "STOREFRONT_TOKEN": "0123456789abcdef0123456789abcdef", "MAINSTAY_SYNTHETIC_SECRET": "secret",
        "SYNTHETIC_SECRET": "secret",
        "STOREFRONT_SYNTHETIC_PASSWORD": "password", "SYNTHETIC_PASSWORD": "password",
        "STOREFRONT_DATABASE": "storefront.sqlite", "REPORTING_DATABASE": "postgres://db/reporting",
        "SHOP_CHAT_WEBHOOK": "https://chat.example.test/hook", "PAGER_SECRET": "secret",
    ]

    /// What a block of the reference leaves out, by its top key.
    private static let rest = [
        "people": "people: { ada: ada@example.test }",
        "teams": "teams: { shop: [ ada ] }",
        "channels": "channels: { email: { smtp: \"smtp://127.0.0.1:25\", from: m@example.test } }",
        "services": "services: { storefront: { team: shop, url: \"http://127.0.0.1:8090\" } }",
        "journeys": "journeys: { favorites-saved: { steps: [ { get: \"http://127.0.0.1:8090/\" } ] } }",
    ]

    private static func reference() throws -> String {
        let file = ConfigurationFixture.root.appendingPathComponent("docs/configuration.md")
        return try String(contentsOf: file, encoding: .utf8)
    }

    private static func blocks() throws -> [String] {
        try reference().components(separatedBy: "```yaml\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
    }

    private static func load(_ block: String, log: ProblemLog) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mainstay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        for name in ["smtp.key", "synthetic.key"] {
            try Data("secret\n".utf8).write(to: folder.appendingPathComponent(name))
        }
        try Data("\"ada\" \"secret\"\n".utf8).write(to: folder.appendingPathComponent("users.txt"))
        try CertificateFixture.text.write(
            to: folder.appendingPathComponent("ca.pem"), atomically: true, encoding: .utf8)
        let lines = block.split(separator: "\n")
        let missing = rest.filter { key, _ in !lines.contains { $0.hasPrefix("\(key):") } }
        let files = [(name: "block.yaml", text: block)] + missing.map { (name: "\($0.key).yaml", text: $0.value) }
        _ = try ConfigurationFixture.load(files, environment: environment, folder: folder.path, log: log)
    }

    @Test("loads every file under examples")
    func examples() throws {
        let folder = ConfigurationFixture.root.appendingPathComponent("examples")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
        #expect(!names.isEmpty)
        for name in names {
            let path = folder.appendingPathComponent(name).path
            #expect(throws: Never.self) {
                if name == "guard.yaml" {
                    _ = try ConfigurationLoader.loadGuard(path: path, environment: Self.environment)
                } else {
                    _ = try ConfigurationLoader.load(path: path, environment: Self.environment)
                }
            }
        }
    }

    @Test("loads every block of the reference")
    func reference() throws {
        let blocks = try Self.blocks()
        #expect(blocks.count >= 12)
        for block in blocks {
            #expect(throws: Never.self, "\(block)") { try Self.load(block, log: ProblemLog()) }
        }
    }

    @Test("explains every key in the reference")
    func keys() throws {
        let log = ProblemLog()
        for block in try Self.blocks() { try Self.load(block, log: log) }
        let text = try Self.reference()
        #expect(log.keys.filter { !text.contains("`\($0)`") }.sorted() == [])
        #expect(log.keys.count > 60)
    }
}
