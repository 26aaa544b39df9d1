import AsyncHTTPClient
import Decide
import NIOCore
import NIOPosix
import SQL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why a probe has no answer to judge.
struct ProbeFailure: Error, Hashable, Sendable {
    var kind: CheckFailure.Kind
    /// One sentence.
    var message: String

    init(_ kind: CheckFailure.Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    init(_ error: DefinitionError) { self.init(.definition, error.message) }

    static func timeout(_ limit: Span) -> ProbeFailure { ProbeFailure(.timeout, "no answer within \(limit.spoken)") }

    /// What a network or database error means to whoever reads the page.
    init(_ error: any Error, limit: Span) {
        switch error {
        case let failure as ProbeFailure: self = failure
        case let error as DefinitionError: self.init(error)
        case let error as SQLError: self.init(error, limit: limit)
        case is DeadlinePassed: self = .timeout(limit)
        case let error as HTTPClientError: self.init(error, limit: limit)
        case let error as NIOConnectionError: self.init(error, limit: limit)
        case is NIOTooManyBytesError: self.init(.assertion, "the answer is larger than the limit")
        case is CancellationError: self.init(.timeout, "the run was stopped")
        case let error as IOError: self.init(.unreachable, Self.words(errno: error.errnoCode))
        case ChannelError.connectTimeout: self.init(.timeout, "no connection within \(limit.spoken)")
        default: self.init(.unreachable, "no answer: \(String(describing: error).brief(200))")
        }
    }

    private init(_ error: SQLError, limit: Span) {
        switch error.code {
        case .timeout: self = .timeout(limit)
        case .unavailable, .conflict:
            self.init(.unreachable, "the database does not answer: \(error.message.brief(300))")
        case .statement, .constraint, .decoding, .newer: self.init(.definition, error.message.brief(300))
        }
    }

    private init(_ error: HTTPClientError, limit: Span) {
        switch error {
        case .deadlineExceeded, .readTimeout, .writeTimeout: self = .timeout(limit)
        case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout:
            self.init(.timeout, "no connection within \(limit.spoken)")
        case .remoteConnectionClosed:
            self.init(.unreachable, "the connection was closed before the answer was complete")
        case .invalidURL, .emptyHost, .emptyScheme, .missingSocketPath:
            self.init(.definition, "the URL cannot be used")
        default: self.init(.unreachable, "no answer: \(String(describing: error).brief(200))")
        }
    }

    private init(_ error: NIOConnectionError, limit: Span) {
        let address = "\(error.host):\(error.port)"
        if let failure = error.connectionErrors.first?.error {
            switch failure {
            case let failure as IOError:
                self.init(.unreachable, "\(address): \(Self.words(errno: failure.errnoCode))")
            case ChannelError.connectTimeout: self.init(.timeout, "\(address): no connection within \(limit.spoken)")
            default: self.init(.unreachable, "\(address): \(String(describing: failure).brief(200))")
            }
        } else if error.dnsAError != nil || error.dnsAAAAError != nil {
            self.init(.unreachable, "the name \(error.host) was not found")
        } else {
            self.init(.unreachable, "no connection to \(address)")
        }
    }

    private static func words(errno code: CInt) -> String {
        switch code {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET, EPIPE: "connection reset"
        case EHOSTUNREACH: "no route to the host"
        case ENETUNREACH: "network unreachable"
        case ETIMEDOUT: "no connection in time"
        case EMFILE, ENFILE: "Mainstay has no file descriptor left"
        default: "network error \(code)"
        }
    }
}

/// The operation was cut off.
struct DeadlinePassed: Error {}

/// Runs `operation`, and cancels it when `deadline` comes first. The operation must end when cancelled.
func withDeadline<Value: Sendable>(
    _ deadline: ContinuousClock.Instant, _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try await Task.sleep(until: deadline, clock: .continuous)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let value = first else { throw DeadlinePassed() }
        return value
    }
}

extension ContinuousClock.Instant {
    /// From now until then; never negative.
    var remaining: Span { max(.zero, Span(ContinuousClock.now.duration(to: self))) }
}

extension Span {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .milliseconds(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
    }
}
