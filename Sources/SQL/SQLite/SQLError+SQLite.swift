import GRDB

extension SQLError {
    /// - Parameter isReadOnly: whether the connection was opened for reading; a write on it is the statement's fault.
    init(sqlite code: Int32, message: String, isReadOnly: Bool) {
        let state = String(code)
        switch ResultCode(rawValue: code).primaryResultCode {
        case .SQLITE_CONSTRAINT:
            self.init(.constraint, message, state: state)
        case .SQLITE_BUSY where code == ResultCode.SQLITE_BUSY_SNAPSHOT.rawValue:
            self.init(.conflict, "another process wrote meanwhile", state: state)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.unavailable, "another process holds the lock of the database file", state: state)
        case .SQLITE_INTERRUPT:
            self.init(.timeout, "the statement was stopped at its deadline", state: state)
        case .SQLITE_READONLY where isReadOnly:
            self.init(.statement, "a read cannot write", state: state)
        case .SQLITE_READONLY:
            self.init(.unavailable, "the database file, or its directory, is read-only", state: state)
        case .SQLITE_FULL:
            self.init(.unavailable, "the disk is full, or the database has reached its largest size", state: state)
        case .SQLITE_IOERR:
            self.init(.unavailable, "the disk failed: \(message)", state: state)
        case .SQLITE_CANTOPEN:
            self.init(
                .unavailable, "the database file cannot be opened: is its directory there, and allowed?", state: state)
        case .SQLITE_CORRUPT:
            self.init(.unavailable, "the database file is damaged: restore it from a backup (\(message))", state: state)
        case .SQLITE_NOTADB:
            self.init(.unavailable, "the file is not a SQLite database", state: state)
        case .SQLITE_NOMEM:
            self.init(.unavailable, "out of memory", state: state)
        default:
            self.init(.statement, message, state: state)
        }
    }

    /// - Parameter path: named in the message of errors that are about the file.
    init(opening path: String, _ error: any Error, isReadOnly: Bool = false) {
        self = SQLError(sqlite: error, isReadOnly: isReadOnly)
        if code == .unavailable { message = "\(path): \(message)" }
    }

    init(sqlite error: any Error, isReadOnly: Bool) {
        switch error {
        case let error as SQLError:
            self = error
        case let error as DatabaseError:
            self.init(
                sqlite: error.extendedResultCode.rawValue, message: error.message ?? "no message",
                isReadOnly: isReadOnly)
        default:
            self.init(.unavailable, String(describing: error))
        }
    }
}
