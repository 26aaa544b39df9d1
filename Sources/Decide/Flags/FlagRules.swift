/// Rewrites of flag definitions.
package enum FlagRules {
    /// All of the users, in basis points.
    package static let everyone = 10_000

    /// The definition in which `share` of the users get `variant` and the others what `base` gives them.
    ///
    /// Users are placed by flag key and targeting key, so a larger share keeps everyone a smaller one held, and two
    /// flags do not pick the same users. Someone without a targeting key cannot be placed and gets what `base` gives.
    /// - Parameter share: basis points; clamped to 0…10,000.
    package static func withRollout(_ base: FlagDefinition, variant: String, share: Int) -> FlagDefinition {
        let share = Int64(min(max(share, 0), everyone))
        let rest = Int64(everyone) - share
        let split: JSONValue = [
            "fractional": [[.string(variant), .integer(share)], ["", .integer(rest)]]
        ]
        var otherwise = base.targeting ?? .null
        if otherwise == .object([:]) { otherwise = .null }
        var definition = base
        definition.targeting = ["if": [["==": [split, .string(variant)]], .string(variant), otherwise]]
        return definition
    }

    /// Every string that a rule mentions, operator names left out. A variant that is not among them cannot be chosen
    /// by a rule without computing its name.
    package static func strings(_ rule: JSONValue) -> Set<String> {
        var found: Set<String> = []
        var pending = [rule]
        while let value = pending.popLast() {
            switch value {
            case .string(let text): found.insert(text)
            case .array(let items): pending += items
            case .object(let members): pending += members.values
            case .null, .bool, .integer, .double: break
            }
        }
        return found
    }
}
