import Crypto
import Foundation
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Hashes and checks passwords on a thread of its own: scrypt takes tens of milliseconds, and Swift's pool has as many
/// threads as there are cores.
///
/// The queue is bounded: past `queueLimit`, a caller is told to come back. A password that was found right is
/// remembered for a while under a keyed hash, so that a crowd that signs in again and again does not cost scrypt each
/// time; the key is random and never leaves this process.
final class PasswordHasher: Service {
    /// Five seconds of waiting at worst, on one thread.
    static let queueLimit = 128
    static let memoryLimit = 1_000
    static let memoryMilliseconds: Int64 = 10 * 60_000

    private struct State {
        var queued = 0
        /// Keyed hash of password and stored hash → when it is forgotten.
        var known: [Data: Int64] = [:]
    }

    private let pool: NIOThreadPool
    private let queueLimit: Int
    private let clock: WallClock
    private let key = SymmetricKey(size: .bits256)
    private let state = Mutex(State())

    init(threads: Int = 1, queueLimit: Int = PasswordHasher.queueLimit, clock: WallClock = .system) {
        self.queueLimit = queueLimit
        pool = NIOThreadPool(numberOfThreads: threads)
        self.clock = clock
        pool.start()
    }

    deinit {
        // For a hasher whose service never ran; stopping twice does no harm.
        pool.shutdownGracefully { _ in }
    }

    /// Keeps the threads until the service is shut down.
    func run() async throws {
        await untilShutdown()
        try await pool.shutdownGracefully()
    }

    func hash(_ password: String) async throws -> String {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return try await bounded { try PasswordHash.make(password, salt: salt) }
    }

    func verify(_ password: String, _ hash: String) async throws -> Bool {
        let tag = Data(HMAC<SHA256>.authenticationCode(for: Data("\(hash)\n\(password)".utf8), using: key))
        let now = clock.now()
        if isKnown(tag, at: now) { return true }
        return try await bounded { [self] in
            // While this waited, another may have found the same password right.
            if isKnown(tag, at: now) { return true }
            guard try PasswordHash.verify(password, hash) else { return false }
            state.withLock { state in
                if state.known.count >= Self.memoryLimit { state.known.removeAll(keepingCapacity: true) }
                state.known[tag] = now + Self.memoryMilliseconds
            }
            return true
        }
    }

    private func isKnown(_ tag: Data, at now: Int64) -> Bool {
        state.withLock { $0.known[tag].map { $0 > now } ?? false }
    }

    private func bounded<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        let admitted = state.withLock { state in
            guard state.queued < queueLimit else { return false }
            state.queued += 1
            return true
        }
        guard admitted else { throw Problem.unavailable("Too many people are signing in. Try again in a moment.") }
        defer { state.withLock { $0.queued -= 1 } }
        return try await pool.runIfActive(body)
    }
}
