import Dispatch
import Foundation
import Guard
import Logging

/// What the guard keeps across a restart, in one file: written beside and renamed, so that it is whole at any time.
enum GuardMemory {
    static let sizeLimit = 64 << 20

    /// A file that cannot be read is told and put aside: a guard that learns anew is better than none.
    static func at(_ path: String, logger: Logger) -> Guard.Memory {
        let queue = DispatchQueue(label: "mainstay.guard.memory")
        return Guard.Memory(
            restored: restore(path, logger), keep: { state in queue.async { save(state, path, logger) } },
            flush: { await withCheckedContinuation { done in queue.async { done.resume() } } })
    }

    private static func restore(_ path: String, _ logger: Logger) -> GuardState? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            guard data.count <= sizeLimit else { throw CocoaError(.fileReadTooLarge) }
            return try JSONDecoder().decode(GuardState.self, from: data)
        } catch {
            logger.error(
                "what the guard had kept cannot be read; it begins anew",
                metadata: ["file": "\(path)", "kept as": "\(path).unreadable", "cause": "\(error)"])
            do {
                let aside = path + ".unreadable"
                if FileManager.default.fileExists(atPath: aside) { try FileManager.default.removeItem(atPath: aside) }
                try FileManager.default.moveItem(atPath: path, toPath: aside)
            } catch {
                logger.error("it could not be put aside", metadata: ["cause": "\(error)"])
            }
            return nil
        }
    }

    private static func save(_ state: GuardState, _ path: String, _ logger: Logger) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            try encoder.encode(state).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            logger.error("what the guard knows could not be kept", metadata: ["file": "\(path)", "cause": "\(error)"])
        }
    }
}
