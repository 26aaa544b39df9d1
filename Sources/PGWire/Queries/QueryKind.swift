/// What a text asks of the server, by the first words of its statement.
package enum QueryKind: UInt8, Sendable, CaseIterable {
    /// SELECT, VALUES, TABLE, and WITH before one of them.
    case select
    case insert, update, delete, merge
    case copy
    case begin, commit
    /// ROLLBACK of the whole transaction; ROLLBACK TO is a savepoint.
    case rollback
    /// SAVEPOINT, RELEASE, ROLLBACK TO.
    case savepoint
    /// SET and RESET of anything.
    case set
    case show
    /// CREATE, ALTER, DROP, TRUNCATE, GRANT and what else changes the schema.
    case ddl
    /// PREPARE and DEALLOCATE of statements.
    case prepare
    /// EXECUTE of a statement that SQL prepared.
    case execute
    /// DECLARE, FETCH, MOVE, CLOSE.
    case cursor
    /// CALL and DO.
    case call
    /// EXPLAIN, with or without ANALYZE.
    case explain
    /// VACUUM, LOCK, LISTEN, NOTIFY, DISCARD, PREPARE TRANSACTION and so on.
    case utility
    /// No statement at all.
    case empty
    /// More than one statement.
    case multi
    /// None of PostgreSQL's commands.
    case unknown
}

/// What is worth knowing of a text and no reason to pin a client.
package struct QueryNotes: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// DO or CALL: the code may do anything, and its text does not tell.
    package static let callsCode = QueryNotes(rawValue: 1 << 0)
    /// currval or lastval: right only in the session that called nextval.
    package static let readsSequence = QueryNotes(rawValue: 1 << 1)
    /// pg_backend_pid: another one in every session.
    package static let readsBackend = QueryNotes(rawValue: 1 << 2)
    /// EXECUTE: needs the session that ran PREPARE.
    package static let usesPrepared = QueryNotes(rawValue: 1 << 3)
    /// CREATE, ALTER, DROP, IMPORT, or COMMIT PREPARED of what may be one: texts may mean something else afterwards.
    package static let changesSchema = QueryNotes(rawValue: 1 << 4)
}

extension QueryKind {
    /// It has no work of its own: what it begins, ends or sets is what comes with it.
    package var isTransactionControl: Bool {
        switch self {
        case .begin, .commit, .rollback, .savepoint, .set, .show, .prepare, .empty: true
        default: false
        }
    }
}
