import NIOCore
import PGWire

/// Clients whose servers are interchangeable.
struct PoolKey: Hashable {
    enum Role {
        case primary
        /// Servers that only read.
        case replica
    }

    var database: String
    var user: String
    /// Two names that Swift takes for the same text may be two roles to PostgreSQL.
    private var nameBytes: [UInt8]
    /// What the session starts with, but for the application's name: servers are started with the same, so that what
    /// the server makes of it is what the client is told.
    var settings: [StartupParameters.Parameter]
    var role = Role.primary

    /// - Parameter keepsName: the application's name counts too, so that a session can go back to it.
    init(_ startup: StartupParameters, keepsName: Bool) {
        database = startup.database
        user = startup.user
        nameBytes = Array("\(database)\0\(user)".utf8)
        settings = startup.sessionSettings.filter { keepsName || $0.name != SessionParameters.applicationName }
    }

    init(database: String, user: String, role: Role = .primary) {
        self.database = database
        self.user = user
        self.role = role
        nameBytes = Array("\(database)\0\(user)".utf8)
        settings = []
    }
}

/// Those settings of a session that a server reports, as one client has them. Compared by identity on the way: equal
/// values are the same object within one guard.
final class SessionParameters: Hashable {
    static let applicationName = "application_name"
    /// Reported, but not to be set. A search path (which servers report from PostgreSQL 18 on) is no single text:
    /// `CarriedSettings` has it.
    static let fixed: Set<String> = [
        "server_version", "server_encoding", "is_superuser", "session_authorization", "integer_datetimes",
        "in_hot_standby", "search_path",
    ]

    let values: [String: String]
    /// As a client is told them at its log-in.
    private(set) lazy var reports = {
        var bytes = ByteBuffer()
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            bytes.writePGParameterStatus(name: name, value: value)
        }
        return bytes
    }()

    init(_ values: [String: String]) {
        self.values = values
    }

    static func == (one: SessionParameters, other: SessionParameters) -> Bool { one.values == other.values }
    func hash(into hasher: inout Hasher) { hasher.combine(values) }

    /// What a server with `other` has to be told; nil when nothing.
    func difference(from other: SessionParameters) -> String? {
        let statements = values.sorted { $0.key < $1.key }.compactMap { name, value -> String? in
            guard !Self.fixed.contains(name), other.values[name] != value else { return nil }
            return "SET \(Self.quoted(name, "\"")) TO \(Self.quoted(value, "'"))"
        }
        return statements.isEmpty ? nil : statements.joined(separator: "; ")
    }

    /// For standard-conforming strings, which a backslash does not end.
    private static func quoted(_ text: String, _ quote: String) -> String {
        let escaped = text.replacing(quote, with: quote + quote)
        guard quote == "'", text.contains("\\") else { return quote + escaped + quote }
        return "E'" + escaped.replacing("\\", with: "\\\\") + "'"
    }
}
