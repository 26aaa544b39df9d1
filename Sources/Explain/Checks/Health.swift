/// Whether something works. What nobody has looked at is not well, it is unknown.
package enum Health: String, Hashable, Sendable, Codable, CaseIterable {
    case well, ill, unknown

    /// Of a whole with these parts: one ill part makes it ill, one unknown part makes it unknown, and so does having
    /// no part at all.
    package static func whole(_ parts: some Sequence<Health>) -> Health {
        var found = Health.unknown
        var isFirst = true
        for part in parts {
            if part == .ill { return .ill }
            found = isFirst ? part : (part == .unknown ? .unknown : found)
            isFirst = false
        }
        return found
    }
}
