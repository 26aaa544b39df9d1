import MainstayKit

/// What the Storefront asks of Mainstay, as values, so that a test can answer instead.
struct Guardian: Sendable {
    /// The user that flags are evaluated for: key, value of the header `Mainstay-Synthetic`, and whether the account is
    /// marked as synthetic.
    var context: @Sendable (_ key: String?, _ header: String?, _ synthetic: Bool) -> UserContext
    /// The variant of a flag for a user; records that the user saw it.
    var variant: @Sendable (_ flag: String, _ fallback: String, _ user: UserContext) -> String
    var sawActive: @Sendable (_ user: UserContext) -> Void
    /// Delivers what a person reported; throws when it could not be delivered.
    var report: @Sendable (_ report: ProblemReport) async throws -> Void
    var connection: @Sendable () -> Connection

    /// How the connection stands.
    struct Connection: Sendable {
        /// The stream of flags is open.
        var isOpen: Bool
        /// Where the flags in force come from: `stream`, `cache` or `code`.
        var source: String
    }

    static func live(_ mainstay: Mainstay) -> Guardian {
        Guardian(
            context: { key, header, synthetic in
                var context = mainstay.userContext(key: key, syntheticHeader: header)
                if synthetic { context.isSynthetic = true }
                return context
            },
            variant: { flag, fallback, user in mainstay.variant(flag, default: fallback, for: user) },
            sawActive: { user in mainstay.sawActive(user) },
            report: { report in try await mainstay.report(report) },
            connection: {
                let status = mainstay.status
                return Connection(isOpen: status.connected, source: status.source.rawValue)
            })
    }
}
