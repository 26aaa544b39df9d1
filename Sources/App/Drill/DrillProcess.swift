import Foundation
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// One of the drill's own processes, with its output in a file of the drill's directory.
struct DrillProcess: Sendable {
    struct Ended: Error, CustomStringConvertible {
        var description: String
    }

    var name: String
    var executable: String
    var arguments: [String]
    var environment: [String: String]
    var log: String

    /// Runs until it is cancelled, which ends the process (politely, then by force). Ending by itself is an error.
    func run() async throws {
        let output = try FileDescriptor.open(
            FilePath(log), .writeOnly, options: [.create, .append], permissions: [.ownerReadWrite])
        var overrides: [Environment.Key: String?] = [:]
        for (key, value) in environment { overrides[Environment.Key(rawValue: key)!] = value }
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        let outcome = try await Subprocess.run(
            .path(FilePath(executable)), arguments: Arguments(arguments),
            environment: .inherit.updating(overrides), platformOptions: options, input: .none,
            output: .fileDescriptor(output, closeAfterSpawningProcess: true), error: .combinedWithOutput)
        try Task.checkCancellation()
        throw Ended(description: "\(name) ended by itself (\(outcome.terminationStatus)):\n\(tail())")
    }

    /// The last lines it wrote.
    func tail() -> String {
        guard let data = FileManager.default.contents(atPath: log) else { return "(no output)" }
        return String(decoding: data.suffix(4_000), as: UTF8.self)
            .split(separator: "\n").suffix(15).joined(separator: "\n")
    }
}
