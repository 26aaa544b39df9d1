@testable import Decide

/// Plans as EXPLAIN (VERBOSE, FORMAT JSON) writes them.
enum Plans {
    static func scan(
        _ table: String, rows: Double, type: String = "Seq Scan", filter: String? = nil, condition: String? = nil,
        relationship: String? = nil, width: Double = 40, cost: Double = 100
    ) -> JSONValue {
        var members: [String: JSONValue] = [
            "Relation Name": .string(table), "Schema": "public", "Alias": .string(table),
        ]
        members["Filter"] = filter.map { .string($0) }
        members["Index Cond"] = condition.map { .string($0) }
        return node(type, rows: rows, relationship: relationship, width: width, cost: cost, members)
    }

    static func node(
        _ type: String, rows: Double, relationship: String? = nil, width: Double = 40, cost: Double = 100,
        _ members: [String: JSONValue] = [:], over children: [JSONValue] = []
    ) -> JSONValue {
        var object = members
        object["Node Type"] = .string(type)
        object["Plan Rows"] = .double(rows)
        object["Plan Width"] = .double(width)
        object["Startup Cost"] = 0.0
        object["Total Cost"] = .double(cost)
        object["Parent Relationship"] = relationship.map { .string($0) }
        if !children.isEmpty { object["Plans"] = .array(children) }
        return .object(object)
    }

    static func plan(_ root: JSONValue) throws -> QueryPlan {
        try QueryPlan(explained: JSONValue.array([.object(["Plan": root])]).compactText)
    }

    static func table(_ name: String) -> RelationName { RelationName(schema: "public", name: name) }

    static func facts(_ rows: [String: Double]) -> [RelationName: RelationFacts] {
        Dictionary(uniqueKeysWithValues: rows.map { (table($0), RelationFacts(rows: $1, bytes: $1 * 100)) })
    }
}
