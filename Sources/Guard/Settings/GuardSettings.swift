import Decide
import PGWire

/// Everything that the guard is told; replaced as a whole by a reload.
package struct GuardSettings: Sendable {
    package enum Mode: String, Sendable, CaseIterable {
        /// A client keeps its server until it leaves: the same as a direct connection.
        case session
        /// A client has a server for a transaction, and keeps it only where its session would show.
        case transaction
    }

    /// How clients prove who they are.
    package enum Authentication: String, Sendable, CaseIterable {
        case trust, cleartext, md5
        case scram = "scram-sha-256"
    }

    package var host = "127.0.0.1"
    /// 0 takes a free one.
    package var port = 6_432
    package var mode = Mode.transaction
    package var authentication = Authentication.scram
    package var users = UsersFile()
    /// Makes unknown users look like known ones; the same in every process that has the same users, and after every
    /// start. Nil: drawn anew.
    package var mock: MockSecret?
    package var databases: [String: DatabaseSettings] = [:]
    /// Who may use the console.
    package var adminUsers: Set<String> = []
    package var tls = ClientTLS.none
    /// Where Prometheus asks; nil: nowhere. Read at the start only.
    package var metrics: Address?
    package var limits = Limits()
    package var timeouts = Timeouts()
    /// Of every pool; `slots` is the pool's size.
    package var budgets = BudgetSettings(slots: 1)

    package init() {}

    /// In `databases`: every database that is not named.
    package static let anyDatabase = "*"

    func database(_ name: String) -> DatabaseSettings? {
        databases[name] ?? databases[Self.anyDatabase]
    }
}

extension GuardSettings {
    package struct Address: Hashable, Sendable {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    package struct Limits: Sendable {
        /// Connections of clients, those that are logging in included.
        package var clients = 5_000
        /// Servers for one database and user.
        package var poolSize = 20
        /// Clients that wait for a server of one pool; more are refused at once.
        package var waiting = 1_000
        /// Bytes of a message that has to be read whole: a statement's text.
        package var message = 64 << 20
        /// Prepared statements kept on one server.
        package var prepared = 500

        package init() {}
    }

    /// In nanoseconds; 0: none.
    package struct Timeouts: Sendable {
        package static let second: Int64 = 1_000_000_000
        /// From the connection to the end of the log-in.
        package var login = 15 * second
        package var connect = 10 * second
        /// For a server.
        package var queue = 30 * second
        /// A transaction that nobody goes on with.
        package var idleTransaction = 30 * second
        /// A server that nobody needs.
        package var serverIdle = 600 * second
        package var serverLifetime = 3_600 * second
        /// For a server to come to rest after its client left.
        package var cleanup = 5 * second
        /// For clients' transactions when the guard stops.
        package var drain = 30 * second

        package init() {}
    }

    package enum ClientTLS: Sendable {
        case none
        /// Offered; or needed.
        case files(certificate: String, key: String, isRequired: Bool)
    }
}

/// One database as clients name it.
package struct DatabaseSettings: Sendable {
    /// The first that answers is used.
    package var targets: [Target]
    /// As the servers name it; nil: the same.
    package var database: String?
    package var poolSize: Int?

    package init(targets: [Target], database: String? = nil, poolSize: Int? = nil) {
        self.targets = targets
        self.database = database
        self.poolSize = poolSize
    }
}

/// One PostgreSQL server.
package struct Target: Hashable, Sendable {
    package enum TLS: String, Sendable, CaseIterable {
        case disable, prefer, require
        case verifyCA = "verify-ca"
        case verifyFull = "verify-full"
    }

    /// A name, an address, or the folder of a Unix socket.
    package var host: String
    package var port: Int
    /// Log in as this user; nil: as the client's.
    package var user: String?
    package var password: String?
    package var tls = TLS.prefer
    /// PEM; nil: the system's.
    package var rootCertificate: String?

    package init(host: String, port: Int = 5_432) {
        self.host = host
        self.port = port
    }

    package var isLocalSocket: Bool { host.hasPrefix("/") }
}

extension Target: CustomStringConvertible {
    /// Without the password.
    package var description: String { isLocalSocket ? "\(host)/.s.PGSQL.\(port)" : "\(host):\(port)" }
}
