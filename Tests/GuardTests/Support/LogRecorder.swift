import Logging
import Synchronization

/// Everything that was logged, at every level, to look for what must not be there.
final class LogRecorder: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    var logger: Logger {
        Logger(label: "guard", factory: { _ in Handler(recorder: self) })
    }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var metadataProvider: Logger.MetadataProvider?
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let words = (event.metadata ?? [:]).merging(metadata) { $1 }.map { "\($0)=\($1)" }.sorted()
            recorder.lines.withLock { $0.append("\(event.level) \(event.message) \(words.joined(separator: " "))") }
        }
    }
}
