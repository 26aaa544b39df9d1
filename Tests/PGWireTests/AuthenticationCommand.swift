import Foundation
import Glibc

/// A program run by a test, on the thread that waits for it.
///
/// Foundation's `Process` hands its children a socket and takes them for ended when it closes; a server started by a
/// tool that ends at once keeps it open.
enum AuthenticationCommand {
    /// - Parameter log: a file for all that the program says.
    /// - Returns: its exit code; -1 when a signal ended it.
    static func run(_ arguments: [String], environment: [String: String] = [:], log: String) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        var child = pid_t()
        let path = arguments[0]
        let failure = withPointers(arguments) { arguments in
            withPointers(variables) { posix_spawn(&child, path, &actions, nil, arguments, $0) }
        }
        guard failure == 0 else { throw AuthenticationScene.Complaint("\(path): \(failure)") }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw AuthenticationScene.Complaint("waitpid: \(errno)") }
        }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
    }

    private static func withPointers<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = texts.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers + [nil])
    }
}
