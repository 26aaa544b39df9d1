/// What libpg_query's tree of one statement says about it.
package struct StatementShape: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// SELECT, INSERT, UPDATE, DELETE or MERGE: it has a plan.
        case plannable(String)
        case schemaChange
        case begin, commit, rollback
        /// SET of one parameter.
        case setting(String)
        /// What it does is decided when it runs: DO, CALL, EXECUTE, COPY FROM.
        case opaque(String)
        case other(String)
    }

    struct UnconditionalWrite: Hashable, Sendable {
        var verb: String
        var table: RelationName
        var location: Int
    }

    /// Trees nest as deep as expressions do, two levels of JSON for each operator.
    package static let depthLimit = 400

    package let kind: Kind
    package let changes: [SchemaChange]
    let hasLimit: Bool
    let hasWhere: Bool
    let unconditionalWrites: [UnconditionalWrite]

    /// - Parameter tree: what `pg_query_parse` gives for one statement.
    /// - Returns: nil for no statement or several.
    package init?(tree: JSONValue) {
        guard let statements = tree["stmts"]?.array, statements.count == 1,
            let (type, body) = statements[0]["stmt"]?.object?.first
        else { return nil }
        let node = SyntaxNode(type: type, body: body)
        changes = SchemaChange.read(node)
        kind = Self.kind(node, changes: changes)
        hasLimit = node["limitCount"].map { $0["A_Const"]?["isnull"] == nil } ?? false
        hasWhere = node["whereClause"] != nil
        unconditionalWrites = Self.unconditionalWrites(in: node.body, type: node.type)
    }

    package var isPlannable: Bool { if case .plannable = kind { true } else { false } }

    /// In the words of a report: `SELECT`, `schema change`, `SET`.
    package var kindName: String {
        switch kind {
        case .plannable(let verb): verb
        case .schemaChange: "schema change"
        case .begin, .commit, .rollback: "transaction"
        case .setting: "SET"
        case .opaque(let name), .other(let name): name
        }
    }

    private static func kind(_ node: SyntaxNode, changes: [SchemaChange]) -> Kind {
        switch node.type {
        case "SelectStmt": return node["intoClause"] == nil ? .plannable("SELECT") : .schemaChange
        case "InsertStmt": return .plannable("INSERT")
        case "UpdateStmt": return .plannable("UPDATE")
        case "DeleteStmt": return .plannable("DELETE")
        case "MergeStmt": return .plannable("MERGE")
        case "TransactionStmt":
            // A chain begins the next one at once.
            return node["chain"]?.bool == true ? .other("transaction") : transaction(node["kind"]?.string ?? "")
        case "VariableSetStmt": return .setting(node["name"]?.string ?? "")
        case "DoStmt": return .opaque("DO")
        case "CallStmt": return .opaque("CALL")
        case "ExecuteStmt": return .opaque("EXECUTE")
        case "CopyStmt": return .opaque("COPY")
        default: break
        }
        let isChange = !changes.isEmpty || ["Create", "Alter", "Drop", "Rename"].contains { node.type.hasPrefix($0) }
        return isChange ? .schemaChange : .other(readable(node.type))
    }

    private static func transaction(_ kind: String) -> Kind {
        switch kind {
        case "TRANS_STMT_BEGIN", "TRANS_STMT_START": .begin
        case "TRANS_STMT_COMMIT": .commit
        case "TRANS_STMT_ROLLBACK": .rollback
        default: .other("transaction")
        }
    }

    /// `GrantRoleStmt` → `GRANT ROLE`.
    private static func readable(_ type: String) -> String {
        let name = type.hasSuffix("Stmt") ? String(type.dropLast(4)) : type
        var words = ""
        for character in name {
            if character.isUppercase, !words.isEmpty { words.append(" ") }
            words += character.uppercased()
        }
        return words
    }

    /// Also those inside WITH.
    private static func unconditionalWrites(in value: JSONValue, type: String?) -> [UnconditionalWrite] {
        switch value {
        case .array(let elements): return elements.flatMap { unconditionalWrites(in: $0, type: nil) }
        case .object(let members):
            var found: [UnconditionalWrite] = []
            if type == "UpdateStmt" || type == "DeleteStmt", isAlwaysTrue(value["whereClause"]) {
                let relation = SyntaxNode(type: "RangeVar", body: value["relation"] ?? .null)
                found.append(
                    UnconditionalWrite(
                        verb: type == "UpdateStmt" ? "UPDATE" : "DELETE", table: relation.relationName,
                        location: relation.location))
            }
            for (key, member) in members.sorted(by: { $0.key < $1.key }) {
                found += unconditionalWrites(in: member, type: key)
            }
            return found
        default: return []
        }
    }

    /// `WHERE true` and `WHERE 1 = 1` keep every row.
    private static func isAlwaysTrue(_ condition: JSONValue?) -> Bool {
        guard let condition else { return true }
        if let constant = condition["A_Const"] { return constant["boolval"]?["boolval"]?.bool == true }
        guard let comparison = condition["A_Expr"], let left = comparison["lexpr"]?["A_Const"]?.object,
            let right = comparison["rexpr"]?["A_Const"]?.object
        else { return false }
        let isEquality = comparison["name"]?.strings == ["="]
        return isEquality && left.filter { $0.key != "location" } == right.filter { $0.key != "location" }
    }
}

/// One node of libpg_query's tree.
struct SyntaxNode {
    let type: String
    let body: JSONValue

    init(type: String, body: JSONValue) {
        self.type = type
        self.body = body
    }

    /// `{"AlterTableCmd": {…}}`.
    init?(wrapped value: JSONValue?) {
        guard let (type, body) = value?.object?.first else { return nil }
        self.init(type: type, body: body)
    }

    subscript(key: String) -> JSONValue? { body[key] }

    /// Nodes of a list.
    func list(_ key: String) -> [SyntaxNode] { (body[key]?.array ?? []).compactMap(SyntaxNode.init(wrapped:)) }

    /// Of a RangeVar; libpg_query leaves out what is zero.
    var relationName: RelationName {
        RelationName(schema: body["schemaname"]?.string, name: body["relname"]?.string ?? "?")
    }

    /// Bytes from the statement's start.
    var location: Int { body["location"]?.integer.map { Int(clamping: $0) } ?? 0 }

    /// The RangeVar under a key, which is not wrapped.
    func relation(_ key: String = "relation") -> SyntaxNode? {
        body[key].map { SyntaxNode(type: "RangeVar", body: $0) }
    }

    /// Names in order: `pg_catalog`, `int4`.
    func names(_ key: String) -> [String] {
        list(key).compactMap { $0["sval"]?.string ?? $0["str"]?.string }
    }
}
