import Foundation
import Subprocess
import Synchronization

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// One real process: it can be started, killed, stopped and started again. It ends with its town at the latest.
package final class TownProcess: Sendable {
    private enum State {
        case idle, starting
        case running(pid_t)
        case ended(String)
    }

    package let name: String
    package let log: String
    private let executable: String
    private let arguments: [String]
    private let environment: [String: String]
    private let queue: AsyncStream<TownProcess>.Continuation
    private let state = Mutex(State.idle)

    package init(
        _ name: String, _ executable: String, _ arguments: [String], environment: [String: String], log: String,
        queue: AsyncStream<TownProcess>.Continuation
    ) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.log = log
        self.queue = queue
    }

    package var isRunning: Bool {
        state.withLock { if case .running = $0 { true } else { false } }
    }

    /// How it ended; nil while it runs.
    package var ending: String? {
        state.withLock { if case .ended(let how) = $0 { how } else { nil } }
    }

    /// Everything it wrote since the town was founded.
    package var output: String {
        FileManager.default.contents(atPath: log).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    package func start() async throws {
        state.withLock { $0 = .starting }
        queue.yield(self)
        try await eventually("\(name) is started", every: .milliseconds(5)) {
            state.withLock { if case .starting = $0 { false } else { true } }
        }
    }

    /// kill -9
    package func kill() async throws { try await end(SIGKILL) }

    /// Politely.
    package func stop() async throws { try await end(SIGTERM) }

    package func signal(_ number: Int32) {
        state.withLock { if case .running(let pid) = $0 { Foundation.kill(pid, number) } }
    }

    private func end(_ number: Int32) async throws {
        signal(number)
        try await eventually("\(name) ends", every: .milliseconds(5)) { !isRunning }
    }

    /// Called by the town, in its task group.
    package func run() async {
        do {
            let output = try FileDescriptor.open(
                FilePath(log), .writeOnly, options: [.create, .append], permissions: [.ownerReadWrite])
            var overrides: [Environment.Key: String?] = [:]
            for (key, value) in environment { overrides[Environment.Key(rawValue: key)!] = value }
            var options = PlatformOptions()
            options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(8))]
            let outcome = try await Subprocess.run(
                .path(FilePath(executable)), arguments: Arguments(arguments),
                environment: .inherit.updating(overrides), platformOptions: options, input: .none,
                output: .fileDescriptor(output, closeAfterSpawningProcess: true), error: .combinedWithOutput
            ) { execution in
                self.state.withLock { $0 = .running(execution.processIdentifier.value) }
            }
            state.withLock { $0 = .ended("\(outcome.terminationStatus)") }
        } catch {
            state.withLock { $0 = .ended("\(error)") }
        }
    }
}
