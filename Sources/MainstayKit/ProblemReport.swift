/// What a user says is wrong, as "Report a problem" sends it.
public struct ProblemReport: Hashable, Sendable {
    /// Name of the feature in Mainstay's configuration; nil if the user did not say.
    public var feature: String?
    /// In the user's words.
    public var text: String
    /// Key of the user. Only a hash of it leaves the process.
    public var user: String?
    /// Path of the page it was sent from.
    public var page: String?

    public init(feature: String?, text: String, user: String?, page: String? = nil) {
        self.feature = feature
        self.text = text
        self.user = user
        self.page = page
    }
}

/// Mainstay did not accept a request.
public struct MainstayError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// There is no URL in the configuration.
        case notConfigured
        /// It could not be reached, or not in time.
        case unavailable
        /// It answered with an error; see `status`.
        case refused
    }

    public var code: Code
    /// `reports.send`, `exposures.send`, `flags.stream`.
    public var operation: String
    /// HTTP status of a refusal.
    public var status: Int?
    public var detail: String

    public var description: String {
        "\(operation): \(detail)" + (status.map { " (HTTP \($0))" } ?? "")
    }
}
