/// What a client asks for when it starts a session.
package struct StartupParameters: Equatable, Sendable {
    package struct Parameter: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package enum Replication: Hashable, Sendable {
        case none
        /// The connection speaks the replication protocol, to no database.
        case physical
        /// It speaks SQL to a database as well.
        case logical
    }

    /// Of protocol 3; whoever answers settles it by `ProtocolNegotiation`.
    package var minorVersion: UInt16
    /// As sent: in order, with repetitions, with `user` and `database`.
    package var parameters: [Parameter]
    package var user: String
    /// The user's name where none was given, as PostgreSQL has it.
    package var database: String
    package var replication: Replication
    /// From `options`, in its order.
    package var optionSettings: [Parameter]

    /// - Throws: `28000` without a user; what `replication` and `options` throw.
    package init(minorVersion: UInt16 = 0, parameters: [Parameter]) throws(WireError) {
        func last(_ name: String) -> String? { parameters.last { $0.name == name }?.value }
        guard let user = last("user"), !user.isEmpty else {
            throw .notAuthorized("no PostgreSQL user name specified in startup packet")
        }
        let database = last("database") ?? ""
        self.minorVersion = minorVersion
        self.parameters = parameters
        self.user = user
        self.database = database.isEmpty ? user : database
        replication = try last("replication").map(Self.replication) ?? .none
        optionSettings = try last("options").map(StartupOptions.parse) ?? []
    }

    package var applicationName: String? { sessionSettings.last { $0.name == "application_name" }?.value }

    /// Names of the protocol's own extensions (`_pq_.…`), whose values are for the protocol and not for the session.
    package var protocolOptions: [String] {
        parameters.map(\.name).filter { $0.hasPrefix(Self.protocolPrefix) }
    }

    /// What the session's settings start with, in the order PostgreSQL applies them: a later one wins.
    package var sessionSettings: [Parameter] {
        optionSettings
            + parameters.filter {
                !Self.connectionParameters.contains($0.name) && !$0.name.hasPrefix(Self.protocolPrefix)
            }
    }

    private static let protocolPrefix = "_pq_."
    private static let connectionParameters: Set<String> = ["user", "database", "options", "replication"]

    private static func replication(_ value: String) throws(WireError) -> Replication {
        if value == "database" { return .logical }
        guard let isOn = boolean(value) else {
            throw .invalidParameter("invalid value for parameter \"replication\"")
        }
        return isOn ? .physical : .none
    }

    /// PostgreSQL's own reading: any unambiguous beginning, in any case.
    private static func boolean(_ value: String) -> Bool? {
        let text = value.lowercased()
        guard !text.isEmpty else { return nil }
        if ["1", "on"].contains(text) || "true".hasPrefix(text) || "yes".hasPrefix(text) { return true }
        if ["0", "of", "off"].contains(text) || "false".hasPrefix(text) || "no".hasPrefix(text) { return false }
        return nil
    }
}
