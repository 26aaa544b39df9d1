import Decide
import Interop
import Logging
import NIOCore
import Record
import ServiceLifecycle
import Synchronization

/// Brings every change of flags to every connected client: each set is read and encoded once, and its bytes shared.
///
/// Invariants:
/// 1. A client gets the whole set at once, then each later one; versions of one connection only grow.
/// 2. A client holds at most one set that it did not take yet, the newest: a slow one costs no memory and delays
///    no other.
/// 3. Interest in a service is noted before its set is read, so a change between the two is not missed.
package final class FlagHub: Service {
    struct Frame: Sendable {
        var version: Int64
        var bytes: ByteBuffer
    }

    private struct Channel {
        var frame: Frame?
        var interested = 0
        var clients: [Int: Mailbox] = [:]
    }

    private struct State {
        var channels: [String: Channel] = [:]
        var next = 0
    }

    private let record: Record
    private let settings: WebSettings
    private let logger: Logger
    private let state = Mutex(State())

    init(record: Record, settings: WebSettings, logger: Logger) {
        self.record = record
        self.settings = settings
        self.logger = logger
    }

    package var clients: Int {
        state.withLock { $0.channels.values.reduce(0) { $0 + $1.clients.count } }
    }

    /// Connects a client: its mailbox holds the present set already.
    func connect(_ service: String) async throws -> Connection {
        state.withLock { $0.channels[service, default: Channel()].interested += 1 }
        do {
            offer(try await record.flagSet(service: service), of: service)
        } catch {
            leave(service, nil)
            throw error
        }
        let mailbox = Mailbox()
        let id = state.withLock { state in
            state.next += 1
            state.channels[service]?.clients[state.next] = mailbox
            if let frame = state.channels[service]?.frame { mailbox.put(frame) }
            return state.next
        }
        return Connection(mailbox: mailbox) { [weak self] in self?.leave(service, id) }
    }

    private func leave(_ service: String, _ id: Int?) {
        state.withLock { state in
            if let id { state.channels[service]?.clients[id] = nil }
            state.channels[service]?.interested -= 1
            if state.channels[service]?.interested == 0 { state.channels[service] = nil }
        }
    }

    /// Gives a set to all clients of its service, unless they have it or a newer one.
    private func offer(_ set: FlagSet, of service: String) {
        let isNews = state.withLock { state in
            state.channels[service].map { $0.frame.map { $0.version < set.version } ?? true } ?? false
        }
        guard isNews else { return }
        let frame = Frame(
            version: set.version,
            bytes: EventStream.frame(event: "flags", id: String(set.version), data: FlagdCodec.encode(set)))
        state.withLock { state in
            guard let channel = state.channels[service], channel.frame.map({ $0.version < frame.version }) ?? true
            else { return }
            state.channels[service]?.frame = frame
            for mailbox in channel.clients.values { mailbox.put(frame) }
        }
    }

    // MARK: Watching the record

    package func run() async throws {
        let signals = record.signals.stream(limit: 1_024)
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await signal in signals {
                        if case .flags(let service) = signal { await self.refresh([service]) }
                    }
                }
                group.addTask { await self.poll() }
            }
        }
    }

    /// Finds what other processes changed over the same database.
    private func poll() async {
        var head: Int64 = -1
        while !Task.isCancelled {
            do { try await Task.sleep(for: settings.pollEvery.duration) } catch { return }
            let services = state.withLock { Array($0.channels.keys) }
            guard !services.isEmpty else { continue }
            do {
                let latest = try await record.timelineHead()
                if latest != head, await refresh(services) { head = latest }
            } catch {
                logger.warning("flags cannot be read", metadata: ["cause": "\(error)"])
            }
        }
    }

    /// - Returns: whether all could be read.
    @discardableResult
    private func refresh(_ services: [String]) async -> Bool {
        var isWhole = true
        for service in services where state.withLock({ $0.channels[service] != nil }) {
            do {
                offer(try await record.flagSet(service: service), of: service)
            } catch {
                // The next poll tries again.
                isWhole = false
                logger.warning("flags cannot be read", metadata: ["service": "\(service)", "cause": "\(error)"])
            }
        }
        return isWhole
    }
}

extension FlagHub {
    /// One client's newest set that it did not take yet.
    final class Mailbox: Sendable {
        private let frame = Mutex<Frame?>(nil)
        private let bell: AsyncStream<Void>.Continuation
        let rings: AsyncStream<Void>

        init() {
            (rings, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        }

        func put(_ new: Frame) {
            frame.withLock { $0 = new }
            bell.yield()
        }

        func take() -> Frame? {
            frame.withLock { frame in
                defer { frame = nil }
                return frame
            }
        }

        /// Wakes the client without a set: time to show that the connection lives.
        func ring() { bell.yield() }
    }

    /// A connected client; it leaves when this goes away.
    final class Connection: Sendable {
        private let mailbox: Mailbox
        private let leave: @Sendable () -> Void

        init(mailbox: Mailbox, leave: @escaping @Sendable () -> Void) {
            self.mailbox = mailbox
            self.leave = leave
        }

        deinit { leave() }

        /// Writes every set to the client, and a sign of life each `keepAlive`, until cancelled.
        func serve(_ writer: EventWriter, keepAlive: Span) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while true {
                        try await Task.sleep(for: keepAlive.duration)
                        self.mailbox.ring()
                    }
                }
                group.addTask {
                    for await _ in self.mailbox.rings {
                        try await writer.write(self.mailbox.take()?.bytes ?? EventStream.keepAlive)
                    }
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }
}
