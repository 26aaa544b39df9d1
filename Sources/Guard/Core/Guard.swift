import Decide
import Logging
import NIOCore
import PGWire
import ServiceLifecycle
import Synchronization

/// The proxy as a service: one event loop with everything on it, as PgBouncer has.
package final class Guard: Service {
    let loop: SocketLoop
    let core: NIOLoopBoundBox<GuardCore?>
    /// The same after its end: connections that are still being closed ask for it.
    private let ended: NIOLoopBoundBox<GuardCore?>
    private let settings: GuardSettings
    private let logger: Logger
    private let onReady: @Sendable (Int) -> Void
    /// Reads the settings anew, for `RELOAD`.
    private let reading: @Sendable () throws -> GuardSettings
    private let wallClock: @Sendable () -> Instant
    private let onDecision: (@Sendable (QueryDecision) -> Void)?
    private let memory: Memory?
    /// Set when it has stopped: for whoever asks once more.
    let lastSamples = Mutex<[QuerySample]?>(nil)

    /// What outlives the process.
    package struct Memory: Sendable {
        /// From an earlier process.
        package var restored: GuardState?
        /// Called on the event loop, once a minute, when something changes, and at the end: it must not block.
        package var keep: @Sendable (GuardState) -> Void
        /// Ends when all that was to be kept is.
        package var flush: @Sendable () async -> Void

        package init(
            restored: GuardState?, keep: @escaping @Sendable (GuardState) -> Void,
            flush: @escaping @Sendable () async -> Void = {}
        ) {
            self.restored = restored
            self.keep = keep
            self.flush = flush
        }
    }

    /// - Parameters:
    ///   - onDecision: called on the event loop: it must not block.
    ///   - onReady: gets the port when clients can connect.
    package init(
        settings: GuardSettings, logger: Logger, wallClock: @escaping @Sendable () -> Instant,
        reading: @escaping @Sendable () throws -> GuardSettings, memory: Memory? = nil,
        onDecision: (@Sendable (QueryDecision) -> Void)? = nil, onReady: @escaping @Sendable (Int) -> Void
    ) throws {
        self.onDecision = onDecision
        self.memory = memory
        loop = try SocketLoop()
        core = NIOLoopBoundBox.makeBoxSendingValue(nil, eventLoop: loop)
        ended = NIOLoopBoundBox.makeBoxSendingValue(nil, eventLoop: loop)
        self.settings = settings
        self.logger = logger
        self.wallClock = wallClock
        self.reading = reading
        self.onReady = onReady
    }

    /// Why it cannot start.
    package struct Unusable: Error, CustomStringConvertible {
        package var description: String
    }

    package func run() async throws {
        FileLimit.raise(logger)
        let (listener, metrics): (SocketListener, SocketListener?)
        do {
            (listener, metrics) = try await listen()
        } catch {
            try await loop.shutdownGracefully()
            throw error
        }
        onReady(listener.address?.port ?? 0)
        logger.info("guard listens", metadata: ["address": "\(listener.address?.description ?? "")"])
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                do { try await listener.closeFuture.get() } catch { logger.debug("listening ended: \(error)") }
            } onCancel: {
                listener.close()
            }
        } onGracefulShutdown: {
            listener.close()
        }
        metrics?.close()
        await drain()
        await memory?.flush()
        try await loop.shutdownGracefully()
    }

    private func listen() async throws -> (SocketListener, metrics: SocketListener?) {
        let listener = try await naming(settings.host, settings.port) { try await start() }
        guard let address = settings.metrics else { return (listener, nil) }
        let (box, loop) = (core, loop)
        let metrics = try await naming(address.host, address.port) {
            try await MetricsServer.listen(address, on: loop) {
                MetricsText.render(box.value?.snapshot() ?? GuardSnapshot())
            }
        }
        return (listener, metrics)
    }

    private func naming(
        _ host: String, _ port: Int, _ listen: () async throws -> SocketListener
    ) async throws -> SocketListener {
        do {
            return try await listen()
        } catch let error as IOError {
            throw Unusable(description: "the guard cannot listen on \(host):\(port): \(SystemWords.say(error))")
        } catch let error as SocketCalls.UnknownHost {
            throw Unusable(description: "the guard cannot listen on \(host):\(port): \(error.reason)")
        }
    }

    private func start() async throws -> SocketListener {
        let (box, settings, logger, loop, clock) = (core, settings, logger, loop, wallClock)
        let (reading, onDecision, memory) = (self.reading, self.onDecision, self.memory)
        try await loop.submit {
            let core = try GuardCore(loop: loop, settings: settings, logger: logger, wallClock: clock)
            core.reading = reading
            core.onDecision = onDecision
            if let restored = memory?.restored { core.restore(restored) }
            core.onChange = memory?.keep
            box.value = core
        }.get()
        if memory != nil {
            loop.scheduleRepeatedTask(initialDelay: .minutes(1), delay: .minutes(1)) { _ in box.value?.changed() }
        }
        loop.scheduleRepeatedTask(initialDelay: .milliseconds(100), delay: .milliseconds(100)) { _ in box.value?.tick()
        }
        return try await SocketListener.listen(settings.host, settings.port, on: loop) { error in
            logger.error("a connection could not be taken", metadata: ["cause": "\(error)"])
        } accepted: { socket in
            guard let core = box.value else { return socket.close() }
            core.accept(socket)
        }
    }

    /// As `RELOAD` on the console: a bad file leaves the settings as they are, and is logged.
    package func reloadFromFile() async throws {
        let box = core
        do {
            try await loop.submit { try box.value?.requestReload() }.get()
        } catch {
            // Told in the log by whoever met it.
            logger.debug("nothing was reloaded")
        }
    }

    package func reload(_ settings: GuardSettings) async throws {
        let box = core
        try await loop.submit { try box.value?.reload(settings) }.get()
    }

    private func drain() async {
        let (box, ended, loop) = (core, ended, loop)
        do {
            let span = settings.timeouts.drain
            try await loop.submit { box.value?.drain() }.get()
            let end = ContinuousClock.now + .nanoseconds(span)
            while ContinuousClock.now < end {
                // Also those that have still to read what they were sent.
                if try await loop.submit({ box.value?.clients.isEmpty ?? true && loop.leaving == 0 }).get() { break }
                try await Task.sleep(for: .milliseconds(20))
            }
        } catch {
            logger.debug("draining was cut short: \(error)")
        }
        do {
            let samples = try await loop.submit {
                defer { (ended.value, box.value) = (box.value, nil) }
                box.value?.changed()
                box.value?.close()
                return box.value?.statistics.takeSamples() ?? []
            }.get()
            lastSamples.withLock { $0 = samples }
        } catch {
            logger.error("the guard's connections could not be closed", metadata: ["cause": "\(error)"])
        }
    }

    package func snapshot() async throws -> GuardSnapshot {
        let box = core
        return try await loop.submit { box.value?.snapshot() ?? GuardSnapshot() }.get()
    }
}
