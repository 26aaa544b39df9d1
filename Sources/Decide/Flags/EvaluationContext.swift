/// Whom a flag is evaluated for, and when.
package struct EvaluationContext: Hashable, Sendable {
    /// Names the user; `fractional` cannot place anyone without it.
    package var targetingKey: String?
    package var attributes: [String: JSONValue]
    /// What rules read as `$flagd.timestamp`, in whole seconds.
    package var timestamp: Instant

    package init(targetingKey: String?, attributes: [String: JSONValue] = [:], timestamp: Instant) {
        self.targetingKey = targetingKey
        self.attributes = attributes
        self.timestamp = timestamp
    }
}
