/// What went wrong in a database, by what the caller can do about it.
package struct SQLError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Lost a race (a unique key, a serialization failure, a deadlock, a compare-and-swap that missed): try again.
        case conflict
        /// A constraint says no: trying again does not help.
        case constraint
        /// The statement is wrong: syntax, unknown table, wrong parameter.
        case statement
        /// No connection, a full disk, or the database is shutting down: try again later.
        case unavailable
        /// The deadline passed.
        case timeout
        /// The result is not of the expected shape.
        case decoding
        /// The database was written by a newer version of this program.
        case newer
    }

    package var code: Code
    package var message: String
    /// SQLSTATE (PostgreSQL) or SQLite's extended result code, where there is one.
    package var state: String?

    package init(_ code: Code, _ message: String, state: String? = nil) {
        self.code = code
        self.message = message
        self.state = state
    }

    /// Whether a `.constraint` is about a key that exists already.
    package var isDuplicate: Bool { ["23505", "1555", "2067", "2579"].contains(state) }

    package var description: String {
        state.map { "\(code.rawValue): \(message) [\($0)]" } ?? "\(code.rawValue): \(message)"
    }
}
