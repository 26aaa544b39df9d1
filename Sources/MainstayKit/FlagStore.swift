import Decide
import Interop
import Synchronization

/// The definitions in force, swapped as a whole.
///
/// 1. Readers take a snapshot under a lock held for nanoseconds; nothing is parsed or compiled under it.
/// 2. Definitions that cannot be read change nothing.
/// 3. Within one connection the version never goes back. The first definitions of a new connection are taken whatever
///    their version: the server may have been restored from a backup, and it is the one who knows.
final class FlagStore: Sendable {
    fileprivate struct State {
        var flags: CompiledFlagSet?
        /// As received, for the cache.
        var bytes: [UInt8] = []
        var changes = 0
        var status = MainstayStatus()
    }

    private let state = Mutex(State())

    var flags: CompiledFlagSet? { state.withLock { $0.flags } }
    var status: MainstayStatus { state.withLock { $0.status } }

    /// What the cache should hold and a number that grows with each change; nil before Mainstay sent anything.
    var received: (bytes: [UInt8], change: Int)? {
        state.withLock { $0.changes > 0 ? ($0.bytes, $0.changes) : nil }
    }

    func load(cached bytes: [UInt8], at now: Instant) throws(FlagdError) {
        let flags = CompiledFlagSet(compiling: try FlagdCodec.decode(bytes))
        state.withLock { state in
            state.take(flags, .cache, now)
        }
    }

    /// Gives whether they are in force now.
    func accept(_ bytes: [UInt8], isFirstOfConnection: Bool, at now: Instant) throws(FlagdError) -> Bool {
        let flags = CompiledFlagSet(compiling: try FlagdCodec.decode(bytes))
        return state.withLock { state in
            state.status.connected = true
            state.status.lastError = nil
            if let held = state.flags, !isFirstOfConnection, flags.version < held.version { return false }
            // A reconnection repeats what is known; nothing changed then.
            if state.status.source == .stream, state.bytes == bytes { return true }
            state.take(flags, .stream, now)
            state.bytes = bytes
            state.changes += 1
            return true
        }
    }

    func disconnected(_ reason: String) {
        state.withLock { state in
            state.status.connected = false
            state.status.lastError = reason
        }
    }

    /// The last definitions were not taken; the connection goes on.
    func failed(_ reason: String) {
        state.withLock { $0.status.lastError = reason }
    }

    func cacheFailed(_ reason: String?) {
        state.withLock { $0.status.cacheError = reason }
    }
}

extension FlagStore.State {
    fileprivate mutating func take(_ new: CompiledFlagSet, _ source: MainstayStatus.Source, _ now: Instant) {
        flags = new
        status.source = source
        status.version = new.version
        status.lastChangeAt = now.milliseconds
        status.flagProblems = new.problems.map { "\($0.flag): \($0.message)" }
    }
}
