import AsyncHTTPClient
import Decide
import Interop
import Logging
import NIOCore
import Synchronization

/// Keeps the stream of flag definitions open, for as long as its task lives.
struct FlagStream: Sendable {
    let client: MainstayClient
    let configuration: MainstayConfiguration
    let store: FlagStore
    let clock: KitClock
    let logger: Logger
    /// Called after each change of what is in force.
    let changed: @Sendable () -> Void

    func run() async {
        var failures = 0
        while !Task.isCancelled {
            let reason: String
            var heardDefinitions = false
            do {
                try await follow { heardDefinitions = true }
                reason = "The stream ended."
            } catch is CancellationError {
                break
            } catch {
                reason = "\(error)"
            }
            if heardDefinitions { failures = 0 }
            store.disconnected(reason)
            if Task.isCancelled { break }
            // Once is news; a server that is away for hours is not news every five seconds.
            logger.log(
                level: failures == 0 ? .warning : .debug, "The connection to Mainstay is lost.",
                metadata: ["reason": "\(reason)"])
            do {
                try await clock.sleep(delay(afterFailures: failures))
            } catch {
                break
            }
            failures += 1
        }
        store.disconnected("The service is shutting down.")
    }

    private func delay(afterFailures failures: Int) -> Duration {
        let range = configuration.reconnectDelay
        let full = min(range.lowerBound * (1 << min(failures, 16)), range.upperBound)
        return full * (1 - clock.jitter() / 2)
    }

    /// One connection, from opening to its end.
    private func follow(_ heard: () -> Void) async throws {
        let body = try await client.openStream(service: configuration.service, timeout: configuration.requestTimeout)
        let lastHeard = LastHeard(clock.now())
        let definitions = DefinitionCount()
        defer { if definitions.isSome { heard() } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await read(body, lastHeard, definitions) }
            group.addTask { try await watch(lastHeard) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func read(_ body: HTTPClientResponse.Body, _ lastHeard: LastHeard, _ count: DefinitionCount) async throws {
        var parser = EventStreamParser(limit: FlagdCodec.maximumBytes + 1_024)
        for try await buffer in body {
            lastHeard.at = clock.now()
            for event in try parser.feed(buffer.readableBytesView) where event.name == "flags" {
                take(event.data, count)
            }
        }
    }

    private func take(_ data: [UInt8], _ count: DefinitionCount) {
        let now = clock.now()
        do {
            let isTaken = try store.accept(data, isFirstOfConnection: !count.isSome, at: now)
            if !count.isSome {
                logger.info("Connected to Mainstay.", metadata: ["service": "\(configuration.service)"])
            }
            count.isSome = true
            if isTaken { changed() }
            for problem in isTaken ? store.status.flagProblems : [] {
                logger.warning("A flag cannot be evaluated.", metadata: ["problem": "\(problem)"])
            }
        } catch {
            store.failed("\(error)")
            logger.error(
                "Flag definitions from Mainstay were not taken; the last good ones stay.",
                metadata: ["error": "\(error)"])
        }
    }

    private struct Silent: Error, CustomStringConvertible {
        var description: String { "Nothing was heard from Mainstay for too long." }
    }

    private func watch(_ lastHeard: LastHeard) async throws {
        while true {
            let silence = Duration.milliseconds((clock.now() - lastHeard.at).milliseconds)
            guard silence < configuration.streamSilence else { throw Silent() }
            try await clock.sleep(configuration.streamSilence - silence)
        }
    }
}

private final class LastHeard: Sendable {
    private let value: Mutex<Instant>

    init(_ now: Instant) {
        value = Mutex(now)
    }

    var at: Instant {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}

private final class DefinitionCount: Sendable {
    private let value = Mutex(false)

    var isSome: Bool {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
