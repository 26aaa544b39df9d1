import NIOCore

/// One statement text with its parameter types, whoever prepared it: what the servers of a pool share.
package final class PreparedStatement {
    package let id: UInt32
    /// What follows the name in a Parse: the text, a zero, the number of parameter types and the types.
    let body: ByteBuffer
    package let query: QueryInfo
    /// That its text names; 0: none.
    let release: UInt32
    /// `SchemaVersion.number` when it was first prepared.
    let schema: UInt64
    /// Whose text it is (`CarriedSettings.space`).
    let space: UInt32
    /// A server has taken it.
    var isProven = false

    init(
        id: UInt32, body: ByteBuffer, query: QueryInfo, release: UInt32, space: UInt32 = 0, schema: UInt64 = 0
    ) {
        self.id = id
        self.space = space
        self.body = body
        self.query = query
        self.release = release
        self.schema = schema
    }

    static let prefix = "mainstay_"
    /// The name that a client's `DEALLOCATE` may take away, since others use the real one.
    static let doomed = "\(prefix)0"
    /// Never made: for what the server has to say of names that do not exist.
    static let missing = "\(prefix)missing"

    var name: String { "\(Self.prefix)\(id)" }

    func writeName(to buffer: inout ByteBuffer) {
        buffer.writeString(Self.prefix)
        buffer.writeString(String(id))
        buffer.writeInteger(UInt8(0))
    }

    func writeParse(to buffer: inout ByteBuffer) {
        buffer.writePGFrame("P") { frame in
            writeName(to: &frame)
            frame.writeImmutableBuffer(body)
        }
    }
}

/// Which state of a database's tables and types a text was prepared for; shared by all that see the same.
package final class SchemaVersion {
    private(set) var number: UInt64 = 0

    package init() {}

    /// Texts are prepared anew when they are prepared the next time.
    package func change() { number &+= 1 }
}

/// The statements of a pool's clients, each once.
package final class StatementRegistry {
    /// Statements that nobody uses are dropped when there are more.
    package static let limit = 5_000
    /// Likewise, for the bytes of their texts.
    package static let byteLimit = 64 << 20

    private struct Key: Hashable {
        var body: ByteBuffer
        var space: UInt32
    }

    private var statements: [Key: PreparedStatement] = [:]
    private var lastID: UInt32 = 0
    private var lastSerial: UInt64 = 0
    private var sweepAt = StatementRegistry.limit
    private var bytes = 0
    private var sweepAtBytes = StatementRegistry.byteLimit

    package let schema: SchemaVersion

    package init(schema: SchemaVersion = SchemaVersion()) {
        self.schema = schema
    }

    package var count: Int { statements.count }

    /// For unnamed statements: unique among the clients of a pool.
    func nextSerial() -> UInt64 {
        lastSerial += 1
        return lastSerial
    }

    /// - Parameter space: of `CarriedSettings`.
    func intern(
        _ body: ByteBuffer, space: UInt32 = 0, isPrivate: Bool = false, _ query: @autoclosure () -> TextFacts
    ) -> PreparedStatement {
        // What the server makes of such a text depends on when it reads it: it is read anew for each that prepares it.
        let isShared = !isPrivate && !body.namesMoment
        if isShared, let known = statements[Key(body: body, space: space)], known.schema == schema.number {
            return known
        }
        if statements.count >= sweepAt || bytes + body.readableBytes > sweepAtBytes { sweep() }
        lastID &+= 1
        if lastID == 0 { lastID = 1 }
        // A copy of its own: the slice would keep all that was read with it.
        let kept = ByteBuffer(bytes: body.readableBytesView)
        let facts = query()
        let statement = PreparedStatement(
            id: lastID, body: kept, query: facts.query, release: facts.release, space: space, schema: schema.number)
        if isShared, statements.updateValue(statement, forKey: Key(body: kept, space: space)) == nil {
            bytes += kept.readableBytes
        }
        return statement
    }

    /// One that a server has taken before, with the tables as they are.
    func proven(_ body: ByteBuffer, space: UInt32) -> PreparedStatement? {
        statements[Key(body: body, space: space)].flatMap { $0.isProven && $0.schema == schema.number ? $0 : nil }
    }

    /// A plan went stale: whoever uses the text next prepares it anew under another name.
    package func forget(_ id: UInt32) {
        if let entry = statements.first(where: { $0.value.id == id }) {
            statements[entry.key] = nil
            bytes -= entry.key.body.readableBytes
        }
    }

    /// What nobody uses.
    package func forgetUnused() {
        if !statements.isEmpty { sweep() }
    }

    private func sweep() {
        for key in Array(statements.keys) {
            guard var statement = statements.removeValue(forKey: key) else { continue }
            if isKnownUniquelyReferenced(&statement) {
                bytes -= key.body.readableBytes
            } else {
                statements[key] = statement
            }
        }
        sweepAt = max(Self.limit, statements.count * 2)
        sweepAtBytes = max(Self.byteLimit, bytes * 2)
    }
}
