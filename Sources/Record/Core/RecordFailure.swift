import SQL

/// Why the record could not answer, for those who do not speak SQL.
package enum RecordFailure: Sendable {
    /// No connection, a full disk, too slow, or lost too many races: trying again later helps.
    case unavailable
    /// A fault in Mainstay or in its data: trying again does not help.
    case broken

    /// Nil when the error is not the database's.
    package init?(_ error: any Error) {
        guard let error = error as? SQLError else { return nil }
        switch error.code {
        case .unavailable, .timeout, .conflict: self = .unavailable
        case .constraint, .statement, .decoding, .newer: self = .broken
        }
    }
}
