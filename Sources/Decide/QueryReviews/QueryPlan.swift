/// Why an answer of EXPLAIN cannot be read.
package struct QueryPlanError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    package var description: String { message }
}

/// A plan, read from `EXPLAIN (VERBOSE, FORMAT JSON)`.
package struct QueryPlan: Hashable, Sendable {
    /// Plans nest as deep as queries do, two levels of JSON for each node.
    package static let depthLimit = 400

    package var root: PlanNode

    package init(root: PlanNode) { self.root = root }

    /// - Parameter text: the list of one object that the server answers with.
    package init(explained text: String) throws(QueryPlanError) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: text, depthLimit: Self.depthLimit)
        } catch {
            throw QueryPlanError(message: "the server's plan is not JSON: \(error)")
        }
        guard let plan = value.array?.first?["Plan"] else {
            throw QueryPlanError(message: "the server's answer has no plan")
        }
        root = try PlanNode(plan)
    }

    /// Every node, the root first.
    package var nodes: [PlanNode] { root.withDescendants }

    /// Tables that are read or written.
    package var relations: [RelationName] {
        var seen: Set<RelationName> = []
        return nodes.compactMap(\.relation).filter { seen.insert($0).inserted }
    }
}

/// One step of a plan. Costs are in the planner's units, rows are for one execution of the step.
package struct PlanNode: Hashable, Sendable {
    package var type: String
    /// `Outer`, `Inner`, `SubPlan`, `InitPlan`, `Member`; nil for the root.
    package var relationship: String?
    package var relation: RelationName?
    package var alias: String?
    package var rows: Double
    /// Bytes of a row.
    package var width: Double
    package var startupCost: Double
    package var totalCost: Double
    package var filter: String?
    package var joinFilter: String?
    package var joinType: String?
    /// Whether at most one row of the inner side can match.
    package var isInnerUnique: Bool
    /// `Update`, `Delete`, `Insert`, `Merge`.
    package var operation: String?
    /// Of a hash aggregate that will spill to disk.
    package var plannedPartitions: Double
    /// Everything that may mention columns of another side of a join.
    package var conditions: [String]
    package var sortKey: [String]
    package var children: [PlanNode]

    package init(
        type: String, rows: Double, cost: Double, relation: RelationName? = nil, children: [PlanNode] = []
    ) {
        self.type = type
        self.relation = relation
        alias = relation?.name
        self.rows = rows
        width = 8
        startupCost = 0
        totalCost = cost
        isInnerUnique = false
        plannedPartitions = 0
        conditions = []
        sortKey = []
        self.children = children
    }

    private static let conditionKeys = [
        "Filter", "Join Filter", "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "TID Cond", "Cache Key",
        "One-Time Filter", "Function Call", "Order By", "Table Function Call",
    ]

    init(_ value: JSONValue) throws(QueryPlanError) {
        guard let type = value["Node Type"]?.string, let rows = value["Plan Rows"]?.number,
            let cost = value["Total Cost"]?.number
        else { throw QueryPlanError(message: "a step of the server's plan has no type, rows or cost") }
        self.type = type
        self.rows = rows
        totalCost = cost
        startupCost = value["Startup Cost"]?.number ?? 0
        width = value["Plan Width"]?.number ?? 0
        relationship = value["Parent Relationship"]?.string
        relation = value["Relation Name"]?.string.map { RelationName(schema: value["Schema"]?.string, name: $0) }
        alias = value["Alias"]?.string
        filter = value["Filter"]?.string
        joinFilter = value["Join Filter"]?.string
        joinType = value["Join Type"]?.string
        isInnerUnique = value["Inner Unique"]?.bool ?? false
        operation = value["Operation"]?.string
        plannedPartitions = value["Planned Partitions"]?.number ?? 0
        conditions = Self.conditionKeys.flatMap { value[$0].map { $0.strings.sorted() } ?? [] }
        sortKey = (value["Sort Key"]?.array ?? []).compactMap(\.string)
        children = []
        for child in value["Plans"]?.array ?? [] { children.append(try PlanNode(child)) }
    }

    /// It and everything under it.
    package var withDescendants: [PlanNode] { [self] + children.flatMap(\.withDescendants) }

    var outer: PlanNode? { children.first { $0.relationship == "Outer" } }
    var inner: PlanNode? { children.first { $0.relationship == "Inner" } }
    var name: String { alias ?? relation?.name ?? type }
}
