import Foundation
import Glibc
import Synchronization

/// Where a review speaks: the report on standard output, everything else on standard error.
enum ReviewConsole {
    /// Whether standard output may be coloured: a terminal, and nobody who asked for none (NO_COLOR).
    static func isColoured(_ environment: [String: String]) -> Bool {
        isatty(STDOUT_FILENO) == 1 && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    static func complain(_ message: String) {
        FileHandle.standardError.write(Data("mainstay review: \(ReviewText.oneLine(message))\n".utf8))
    }
}

/// Says now and then how far a long review is: once a second on a terminal, every ten seconds in a log.
final class ReviewProgress: Sendable {
    private let last: Mutex<ContinuousClock.Instant>
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init() { last = Mutex(.now) }

    func say(_ done: Int, of total: Int) {
        let interval = Duration.seconds(isTerminal ? 1 : 10)
        let isDue = last.withLock { last in
            guard ContinuousClock.now - last >= interval else { return false }
            last = .now
            return true
        }
        guard isDue, done < total else { return }
        FileHandle.standardError.write(Data("reviewed \(done) of \(total) statements\n".utf8))
    }
}
