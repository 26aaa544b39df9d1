/// One answer that a server still owes.
struct Reply {
    enum Kind: UInt8 {
        /// Ends with ReadyForQuery.
        case query, functionCall, sync
        case parse, bind, describeStatement, describePortal, execute, close
        /// No answer of its own: the client's CopyDone or CopyFail, sent before the server asked for data.
        case copyEnd
    }

    enum Audience: UInt8 {
        /// The client asked, the client hears it.
        case client
        /// We asked; nobody hears it.
        case us
        /// The server was never asked: we answer the client in its stead, when its turn comes.
        case synthetic
    }

    var kind: Kind
    var audience = Audience.client
    /// The oldest pending change of the client's statements takes effect with this answer.
    var settlesChange = false
    /// The prepared statement of ours that a Parse makes on the server, a Bind uses or a Close takes away; 0: none.
    var statement: UInt32 = 0
    /// Of a Parse that makes the unnamed statement of this serial number; 0: it makes another.
    var unnamedSerial: UInt64 = 0

    /// Entries that an error takes with it: everything up to the next Sync.
    var isSkippedByError: Bool { kind != .sync }

    /// What it makes or takes away on the server: a prepared statement of ours, or 0 for the unnamed one.
    var change: UInt32? {
        switch kind {
        case .parse where unnamedSerial != 0: 0
        case .parse, .close: statement == 0 ? nil : statement
        default: nil
        }
    }

    /// What was sent is committed with this, unless there is a transaction.
    var endsBatch: Bool { kind == .sync || kind == .query || kind == .functionCall }
}
