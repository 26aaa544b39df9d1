import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// A command that ends by itself.
package enum Command {
    package struct Outcome: Sendable {
        package var code: Int32
        package var output: String
        package var errors: String
    }

    package static func run(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:], in directory: String? = nil
    ) async throws -> Outcome {
        var overrides: [Environment.Key: String?] = [:]
        for (key, value) in environment { overrides[Environment.Key(rawValue: key)!] = value }
        let result = try await Subprocess.run(
            .path(FilePath(executable)), arguments: Arguments(arguments), environment: .inherit.updating(overrides),
            workingDirectory: directory.map { FilePath($0) }, input: .none, output: .string(limit: 4 << 20),
            error: .string(limit: 4 << 20))
        let code: Int32 = if case .exited(let code) = result.terminationStatus { code } else { -1 }
        return Outcome(code: code, output: result.standardOutput, errors: result.standardError)
    }
}
