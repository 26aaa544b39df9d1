extension SchemaChange {
    /// The parts of an ALTER TABLE.
    static func alterations(_ node: SyntaxNode) -> [SchemaChange] {
        guard let relation = node.relation() else { return [] }
        return node.list("cmds").flatMap { command in
            actions(command).map {
                SchemaChange(action: $0, table: relation.relationName, location: relation.location)
            }
        }
    }

    private static func actions(_ command: SyntaxNode) -> [Action] {
        let definition = SyntaxNode(wrapped: command["def"])
        let column = command["name"]?.string ?? "?"
        switch command["subtype"]?.string {
        case "AT_AddColumn": return definition.map(addedColumn) ?? []
        case "AT_AlterColumnType":
            let type = definition.map { typeName($0["typeName"]) } ?? "?"
            return [.changeType(column: column, to: type, hasUsing: definition?["raw_default"] != nil)]
        case "AT_SetNotNull": return [.setNotNull(column: column)]
        case "AT_DropNotNull": return [.dropNotNull(column: column)]
        case "AT_DropColumn": return [.dropColumn(column)]
        case "AT_AddConstraint": return definition.map(constraint) ?? []
        case "AT_SetLogged": return [.rewrite("SET LOGGED")]
        case "AT_SetUnLogged": return [.rewrite("SET UNLOGGED")]
        case "AT_SetTableSpace": return [.rewrite("SET TABLESPACE")]
        case "AT_SetAccessMethod": return [.rewrite("SET ACCESS METHOD")]
        case "AT_ValidateConstraint": return []
        default: return [.lock("ALTER TABLE")]
        }
    }

    private static func constraint(_ node: SyntaxNode) -> [Action] {
        let isNotValid = node["skip_validation"]?.bool ?? false
        let usesIndex = node["indexname"] != nil
        switch node["contype"]?.string {
        case "CONSTR_FOREIGN": return [.addConstraint(kind: "FOREIGN KEY", isNotValid: isNotValid)]
        case "CONSTR_CHECK": return [.addConstraint(kind: "CHECK", isNotValid: isNotValid)]
        case "CONSTR_UNIQUE": return [.addUnique(kind: "UNIQUE", usesIndex: usesIndex)]
        case "CONSTR_PRIMARY": return [.addUnique(kind: "PRIMARY KEY", usesIndex: usesIndex)]
        case "CONSTR_EXCLUSION": return [.addUnique(kind: "EXCLUDE", usesIndex: false)]
        default: return [.lock("ALTER TABLE")]
        }
    }

    /// A column, and the constraints that come with it and are checked against every row.
    private static func addedColumn(_ node: SyntaxNode) -> [Action] {
        var column = AddedColumn()
        var constraints: [Action] = []
        let type = typeName(node["typeName"])
        if ["serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"].contains(type) {
            column.hasDefault = true
            column.rewritesBecause = "\(type) draws a number for each row"
        }
        for part in node.list("constraints") {
            switch part["contype"]?.string {
            case "CONSTR_NOTNULL": column.isNotNull = true
            case "CONSTR_DEFAULT":
                // DEFAULT NULL is no default.
                column.hasDefault = part["raw_expr"]?["A_Const"]?["isnull"] == nil
                volatility(of: part["raw_expr"] ?? .null, into: &column)
            case "CONSTR_IDENTITY":
                column.hasDefault = true
                column.rewritesBecause = "an identity draws a number for each row"
            case "CONSTR_GENERATED":
                column.hasDefault = true
                column.rewritesBecause = "a stored expression is computed for each row"
            case "CONSTR_PRIMARY":
                column.isNotNull = true
                constraints += constraint(part)
            case "CONSTR_UNIQUE", "CONSTR_EXCLUSION": constraints += constraint(part)
            // All values of the new column are NULL or the default: a CHECK is still tried on every row, and a
            // foreign key of a column without a default has nothing to check.
            case "CONSTR_CHECK": constraints += constraint(part)
            case "CONSTR_FOREIGN" where column.hasDefault: constraints += constraint(part)
            default: break
            }
        }
        return [.addColumn(name: node["colname"]?.string ?? "?", column)] + constraints
    }

    private static let volatile: Set<String> = [
        "random", "gen_random_uuid", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "nextval",
        "clock_timestamp", "timeofday", "uuidv4", "uuidv7",
    ]
    /// Evaluated once for the whole ALTER TABLE.
    private static let stable: Set<String> = [
        "now", "statement_timestamp", "transaction_timestamp", "current_setting", "to_timestamp", "timezone", "lower",
        "upper", "md5", "concat", "coalesce", "date_trunc", "make_interval", "jsonb_build_object", "to_jsonb",
    ]

    private static func volatility(of expression: JSONValue, into column: inout AddedColumn) {
        switch expression {
        case .array(let elements): for element in elements { volatility(of: element, into: &column) }
        case .object(let members):
            if let call = members["FuncCall"] {
                let name = SyntaxNode(type: "FuncCall", body: call).names("funcname").last ?? "?"
                if volatile.contains(name) {
                    column.rewritesBecause = "\(name)() is computed for each row"
                } else if !stable.contains(name) {
                    column.unknownFunction = name
                }
            }
            for (_, member) in members.sorted(by: { $0.key < $1.key }) { volatility(of: member, into: &column) }
        default: return
        }
    }

    /// As `format_type` writes it, for the types that can be widened in place; else the name alone.
    static func typeName(_ value: JSONValue?) -> String {
        guard let value else { return "?" }
        let node = SyntaxNode(type: "TypeName", body: value)
        let name = node.names("names").last ?? "?"
        let modifiers = node.list("typmods").map { $0["ival"]?["ival"]?.integer ?? $0["ival"]?.integer ?? 0 }
        let suffix = modifiers.isEmpty ? "" : "(\(modifiers.map(String.init).joined(separator: ",")))"
        let array = node["arrayBounds"] == nil ? "" : "[]"
        return (spelled[name] ?? name) + suffix + array
    }

    private static let spelled = [
        "varchar": "character varying", "bpchar": "character", "int4": "integer", "int8": "bigint",
        "int2": "smallint", "float8": "double precision", "float4": "real", "bool": "boolean",
        "timestamptz": "timestamp with time zone", "timestamp": "timestamp without time zone",
    ]
}
