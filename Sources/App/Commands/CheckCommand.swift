import ArgumentParser
import Decide
import Foundation

/// `mainstay check FILE`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Reads a configuration and says what is wrong with it: file, line, key, and what to do.")

    @Argument(help: "Configuration file, or a folder of them.")
    var file = "mainstay.yaml"

    func run() throws {
        let configuration = try Configurations.load(file, environment: ProcessInfo.processInfo.environment)
        let policy = configuration.policy
        let features = policy.services.values.reduce(0) { $0 + $1.features.count }
        print(
            "\(file): in order. \(policy.services.count) services, \(features) features, \(policy.checks.count) checks."
        )
    }
}

enum Configurations {
    /// - Throws: `ExitCode.failure` after every problem has been printed on standard error.
    static func load(_ path: String, environment: [String: String]) throws -> Configuration {
        do {
            return try ConfigurationLoader.load(path: path, environment: environment)
        } catch {
            for problem in error.problems {
                FileHandle.standardError.write(Data("\(problem)\n".utf8))
            }
            throw ExitCode.failure
        }
    }
}
