/// One change that a migration makes, as far as it can hurt.
package struct SchemaChange: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        case createTable
        case addColumn(name: String, AddedColumn)
        case changeType(column: String, to: String, hasUsing: Bool)
        case setNotNull(column: String)
        case dropNotNull(column: String)
        /// Of a type that tables have columns of; `isNew`: no table has one yet; `isChecked`: there is a constraint,
        /// and what is there has to meet it.
        case domainConstraint(isNew: Bool, isChecked: Bool)
        /// `FOREIGN KEY` or `CHECK`.
        case addConstraint(kind: String, isNotValid: Bool)
        /// `UNIQUE`, `PRIMARY KEY` or `EXCLUDE`.
        case addUnique(kind: String, usesIndex: Bool)
        case createIndex(name: String?, isConcurrent: Bool)
        case dropIndex(isConcurrent: Bool)
        case dropColumn(String)
        case dropTable(kind: String)
        case renameColumn(from: String, to: String)
        case renameTable(to: String)
        case truncate
        /// VACUUM FULL, CLUSTER, REINDEX, SET LOGGED …
        case rewrite(String)
        case dropDatabase(kind: String)
        /// Another change that takes a short lock.
        case lock(String)
    }

    package struct AddedColumn: Hashable, Sendable {
        package var isNotNull = false
        package var hasDefault = false
        /// What makes every row be written anew: a volatile function, serial, identity, a stored expression.
        package var rewritesBecause: String?
        /// A function whose volatility the tree does not tell.
        package var unknownFunction: String?
    }

    package var action: Action
    package var table: RelationName
    /// Bytes from the statement's start.
    package var location: Int

    /// Whether it works on a table, which has to be there.
    var needsTable: Bool {
        switch action {
        case .addColumn, .changeType, .setNotNull, .dropNotNull, .addConstraint, .addUnique, .createIndex, .dropColumn,
            .truncate:
            true
        case .createTable, .dropIndex, .dropTable, .renameColumn, .renameTable, .rewrite, .dropDatabase, .lock,
            .domainConstraint:
            false
        }
    }
}

extension SchemaChange {
    static func read(_ node: SyntaxNode) -> [SchemaChange] {
        switch node.type {
        case "CreateStmt": return one(.createTable, node.relation())
        case "CreateTableAsStmt":
            return one(.createTable, node["into"].map { SyntaxNode(type: "", body: $0) }?.relation("rel"))
        case "SelectStmt":
            return one(.createTable, node["intoClause"].map { SyntaxNode(type: "", body: $0) }?.relation("rel"))
        case "AlterTableStmt": return alterations(node)
        case "IndexStmt":
            let name = node["idxname"]?.string
            return one(.createIndex(name: name, isConcurrent: node["concurrent"]?.bool ?? false), node.relation())
        case "DropStmt": return drops(node)
        case "RenameStmt": return renames(node)
        case "AlterObjectSchemaStmt":
            return one(.renameTable(to: "\(node["newschema"]?.string ?? "?").…"), node.relation())
        case "TruncateStmt": return node.list("relations").map { change(.truncate, $0) }
        case "CreateDomainStmt":
            // NOT NULL and CHECK; a default is none.
            let isChecked = node.list("constraints").contains { $0["contype"]?.string != "CONSTR_DEFAULT" }
            return [domain(.domainConstraint(isNew: true, isChecked: isChecked), node.names("domainname"))]
        case "AlterDomainStmt":
            // C: ADD CONSTRAINT, O: SET NOT NULL.
            guard ["C", "O"].contains(node["subtype"]?.string) else { return [] }
            let isNotValid = SyntaxNode(wrapped: node["def"])?["skip_validation"]?.bool ?? false
            return [domain(.domainConstraint(isNew: false, isChecked: !isNotValid), node.names("typeName"))]
        case "CreateTrigStmt": return one(.lock("CREATE TRIGGER"), node.relation())
        default: return maintenance(node)
        }
    }

    private static func maintenance(_ node: SyntaxNode) -> [SchemaChange] {
        switch node.type {
        case "VacuumStmt":
            guard node.list("options").contains(where: { $0["defname"]?.string == "full" }) else { return [] }
            return node.list("rels").compactMap { $0.relation() }.map { change(.rewrite("VACUUM FULL"), $0) }
        case "ClusterStmt": return one(.rewrite("CLUSTER"), node.relation())
        case "ReindexStmt":
            let isConcurrent = node.list("params").contains { $0["defname"]?.string == "concurrently" }
            return isConcurrent ? [] : one(.rewrite("REINDEX"), node.relation())
        case "RefreshMatViewStmt":
            let isConcurrent = node["concurrent"]?.bool ?? false
            return isConcurrent ? [] : one(.rewrite("REFRESH MATERIALIZED VIEW"), node.relation())
        case "LockStmt": return node.list("relations").map { change(.rewrite("LOCK TABLE"), $0) }
        case "DropdbStmt":
            let database = RelationName(name: node["dbname"]?.string ?? "?")
            return [SchemaChange(action: .dropDatabase(kind: "database"), table: database, location: 0)]
        default: return []
        }
    }

    private static func domain(_ action: Action, _ names: [String]) -> SchemaChange {
        SchemaChange(
            action: action, table: RelationName(schema: names.dropLast().last, name: names.last ?? "?"), location: 0)
    }

    private static func one(_ action: Action, _ relation: SyntaxNode?) -> [SchemaChange] {
        relation.map { [change(action, $0)] } ?? []
    }

    private static func change(_ action: Action, _ relation: SyntaxNode) -> SchemaChange {
        SchemaChange(action: action, table: relation.relationName, location: relation.location)
    }

    private static func drops(_ node: SyntaxNode) -> [SchemaChange] {
        let kind = node["removeType"]?.string ?? ""
        let action: Action
        switch kind {
        case "OBJECT_TABLE": action = .dropTable(kind: "table")
        case "OBJECT_VIEW": action = .dropTable(kind: "view")
        case "OBJECT_MATVIEW": action = .dropTable(kind: "materialized view")
        case "OBJECT_SEQUENCE": action = .dropTable(kind: "sequence")
        case "OBJECT_INDEX": action = .dropIndex(isConcurrent: node["concurrent"]?.bool ?? false)
        case "OBJECT_SCHEMA": action = .dropDatabase(kind: "schema")
        default: return []
        }
        return (node["objects"]?.array ?? []).map { object in
            SchemaChange(action: action, table: qualifiedName(object), location: 0)
        }
    }

    /// A list of names, or one name for a schema.
    private static func qualifiedName(_ object: JSONValue) -> RelationName {
        let parts: [String]
        if let list = object["List"] {
            parts = SyntaxNode(type: "List", body: list).names("items")
        } else {
            parts = [object["String"]?["sval"]?.string ?? object["String"]?["str"]?.string ?? "?"]
        }
        return RelationName(schema: parts.dropLast().last, name: parts.last ?? "?")
    }

    private static func renames(_ node: SyntaxNode) -> [SchemaChange] {
        let newName = node["newname"]?.string ?? "?"
        switch node["renameType"]?.string {
        case "OBJECT_COLUMN":
            return one(.renameColumn(from: node["subname"]?.string ?? "?", to: newName), node.relation())
        case "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW":
            return one(.renameTable(to: newName), node.relation())
        default: return []
        }
    }
}
