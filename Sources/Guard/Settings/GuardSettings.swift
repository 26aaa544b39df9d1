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
    /// For users who are not in the file; nil: they are not let in.
    package var authQuery: AuthQuerySettings?
    /// Makes unknown users look like known ones; the same in every process that has the same users, and after every
    /// start. Nil: drawn anew.
    package var mock: MockSecret?
    package var databases: [String: DatabaseSettings] = [:] {
        didSet { hasReplicas = databases.values.contains { $0.replicas != nil } }
    }
    /// Who may use the console.
    package var adminUsers: Set<String> = []
    package var tls = ClientTLS.none
    /// Where Prometheus asks; nil: nowhere. Read at the start only.
    package var metrics: Address?
    /// Where it keeps what outlives it; nil: nowhere. Read at the start only.
    package var stateFile: String?
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

    /// Kept apart, because every transaction asks.
    package private(set) var hasReplicas = false
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
        /// Databases and users, by pairs, that are in use at once: with `*`, clients choose the names.
        package var pools = 1_000
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
        /// From its beginning, whatever is done in it.
        package var transaction: Int64 = 0
        /// A client that does nothing, outside of transactions.
        package var clientIdle: Int64 = 0
        /// A server that nobody needs.
        package var serverIdle = 600 * second
        package var serverLifetime = 3_600 * second
        /// What is kept for a database and user that nobody uses.
        package var poolIdle = 600 * second
        /// For a server to come to rest after its client left.
        package var cleanup = 5 * second
        /// For clients' transactions when the guard stops.
        package var drain = 30 * second
        /// How long a database may be paused before it goes on by itself.
        package var pause = 60 * second

        package init() {}
    }

    package enum ClientTLS: Sendable {
        case none
        /// Offered; or needed.
        case files(certificate: String, key: String, isRequired: Bool)
    }
}

/// How the database is asked for a user's secret.
package struct AuthQuerySettings: Hashable, Sendable {
    package static let usual =
        "SELECT rolname, rolpassword, rolvaliduntil FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin"

    /// Who asks.
    package var user: String
    /// Nil: as the users file has it.
    package var password: String?
    /// As the servers name it; nil: that of the client's entry, of the entry for all others (`postgres` where it names
    /// none), or of the first entry in the alphabet.
    package var database: String?
    /// With `$1` for the user; returns user, secret and, if it likes, the time at which the secret ends.
    package var query: String

    package init(user: String, password: String? = nil, database: String? = nil, query: String = Self.usual) {
        self.user = user
        self.password = password
        self.database = database
        self.query = query
    }
}

/// One database as clients name it.
package struct DatabaseSettings: Sendable {
    /// The first that answers is used.
    package var targets: [Target]
    /// As the servers name it; nil: the same.
    package var database: String?
    package var poolSize: Int?
    /// Servers that only read, and what goes there.
    package var replicas: ReplicaSettings?

    package init(targets: [Target], database: String? = nil, poolSize: Int? = nil) {
        self.targets = targets
        self.database = database
        self.poolSize = poolSize
    }
}

/// Which of a client's transactions go to replicas.
package enum ReplicaUse: String, Sendable, CaseIterable {
    case never
    /// Those of one statement that only reads, as far as its text tells.
    case reads
    case always
}

package struct ReplicaSettings: Sendable {
    /// Used in turn; when none answers the primary does.
    package var targets: [Target]
    package var poolSize: Int?
    /// The first that matches counts; without a match a client's transactions go to the primary.
    package var rules: [(pattern: ClientPattern, use: ReplicaUse)]

    package init(targets: [Target], poolSize: Int? = nil, rules: [(pattern: ClientPattern, use: ReplicaUse)]) {
        self.targets = targets
        self.poolSize = poolSize
        self.rules = rules
    }

    func use(by client: ClientIdentity) -> ReplicaUse {
        rules.first { $0.pattern.accepts(client) }?.use ?? .never
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
