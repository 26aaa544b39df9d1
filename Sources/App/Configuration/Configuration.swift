import Act
import Decide
import Guard

/// All that `mainstay.yaml` says, checked and ready to use. It holds secrets and never prints them.
package struct Configuration: Sendable {
    package var policy: Policy
    /// In the order of their ids.
    package var checks: [CheckDefinition]
    package var addressBook: AddressBook
    /// What each flag is until somebody changes it; the record has the last word.
    package var flags: [DeclaredFlag]
    package var components: [ComponentSettings]
    package var server: ServerSettings
    /// By the service's name.
    package var services: [String: ServiceSettings]
    /// The files that were read, the secrets' included: a change of one is a reason to load again.
    package var files: [String]
    /// Nil: no guard runs in this process.
    package var guardSettings: GuardSettings?

    package init(
        policy: Policy = Policy(), checks: [CheckDefinition] = [], addressBook: AddressBook = AddressBook(),
        flags: [DeclaredFlag] = [], components: [ComponentSettings] = [], server: ServerSettings = ServerSettings(),
        services: [String: ServiceSettings] = [:], files: [String] = [], guardSettings: GuardSettings? = nil
    ) {
        self.policy = policy
        self.checks = checks
        self.addressBook = addressBook
        self.flags = flags
        self.components = components
        self.server = server
        self.services = services
        self.files = files
        self.guardSettings = guardSettings
    }
}

/// How Mainstay itself runs.
package struct ServerSettings: Sendable {
    package var host: String
    package var port: Int
    /// As people reach it, without a slash at the end.
    package var publicURL: String
    /// `postgres://…`, or the path of a SQLite file. May hold a password.
    package var database: String
    /// For what is not in the database: keys and last known settings.
    package var dataDirectory: String
    /// Whether the last address in `X-Forwarded-For` is believed.
    package var trustsForwardedFor = false

    package init(
        host: String = "127.0.0.1", port: Int = 8600, publicURL: String = "http://127.0.0.1:8600",
        database: String = "data/mainstay.sqlite", dataDirectory: String = "data"
    ) {
        self.host = host
        self.port = port
        self.publicURL = publicURL
        self.database = database
        self.dataDirectory = dataDirectory
    }
}

/// How one service is reached.
package struct ServiceSettings: Sendable {
    package var name: String
    /// Without a slash at the end; nil when nothing needs it.
    package var url: String?
    /// Location by name, as journeys and checks name them.
    package var databases: [String: String]
    /// Signs the header `Mainstay-Synthetic`.
    package var syntheticSecret: String?
    /// The access token of the service, so that it need not be made by hand.
    package var token: String?
    /// Whom journeys sign in as.
    package var account: JourneyAccount?
    /// Web origins whose pages may send customer reports.
    package var origins: [String]

    package init(
        name: String, url: String? = nil, databases: [String: String] = [:], syntheticSecret: String? = nil,
        token: String? = nil, account: JourneyAccount? = nil, origins: [String] = []
    ) {
        self.name = name
        self.url = url
        self.databases = databases
        self.syntheticSecret = syntheticSecret
        self.token = token
        self.account = account
        self.origins = origins
    }
}

/// A part of a service.
package struct ComponentSettings: Sendable, Hashable {
    package var service: String
    package var name: String
    package var team: String
    /// Names of components of the same service.
    package var depends: [String]
    /// Id of the check that watches it.
    package var check: String?
}

package struct DeclaredFlag: Sendable, Hashable {
    package var service: String
    package var key: String
    package var definition: FlagDefinition
}

// Interpolation, `print` and `dump` are how secrets reach logs by accident.
extension Configuration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "Configuration(\(policy.services.count) services, \(checks.count) checks)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension ServerSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "ServerSettings(\(host):\(port), \(publicURL))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension ServiceSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "ServiceSettings(\(name))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
