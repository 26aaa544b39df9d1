import Decide
import Foundation
import Testing

@testable import App

/// Reads configuration without files.
enum ConfigurationFixture {
    /// Three lines: what most tests need and are not about.
    static let people = """
        people: { ada: ada@example.test, lin: { email: lin@example.test } }
        teams: { shop: [ ada, lin ] }
        channels: { email: { smtp: "smtp://127.0.0.1:2525", from: mainstay@example.test } }

        """

    /// Four more.
    static let service = """
        services:
          shop:
            team: shop
            url: http://127.0.0.1:8090

        """

    static func load(_ text: String, environment: [String: String] = [:]) throws(ConfigurationErrors) -> Configuration {
        try load([("mainstay.yaml", text)], environment: environment)
    }

    static func load(
        _ files: [(name: String, text: String)], environment: [String: String] = [:], folder: String = "/etc/mainstay",
        log: ProblemLog = ProblemLog()
    ) throws(ConfigurationErrors) -> Configuration {
        let sources = files.map { ConfigurationSource(name: $0.name, folder: folder, bytes: Array($0.text.utf8)) }
        return try ConfigurationLoader.read(sources, environment: environment, log: log)
    }

    /// One line for each problem.
    static func problems(_ text: String, environment: [String: String] = [:]) -> [String] {
        problems([("mainstay.yaml", text)], environment: environment)
    }

    static func problems(_ files: [(name: String, text: String)], environment: [String: String] = [:]) -> [String] {
        do throws(ConfigurationErrors) {
            _ = try load(files, environment: environment)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    /// The top of the package.
    static var root: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }
}

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
