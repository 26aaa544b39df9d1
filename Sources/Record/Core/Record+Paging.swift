import Decide
import SQL

/// Where a page of a list ended: items come newest first, and several may have come in one millisecond.
package struct ListCursor: Hashable, Sendable {
    package var at: Instant
    package var id: String

    package init(at: Instant, id: String) {
        self.at = at
        self.id = id
    }
}

extension Record {
    /// Things of one kind that come after a cursor, newest first.
    package func things(
        _ kind: Subject.Kind, service: String? = nil, statuses: [String] = [], after cursor: ListCursor?, limit: Int
    ) async throws -> [ListedThing] {
        var filter = ListFilter("kind = ?", [.text(kind.rawValue)])
        if let service { filter.add("service = ?", [.text(service)]) }
        if !statuses.isEmpty {
            filter.add("status IN (\(statuses.map { _ in "?" }.joined(separator: ", ")))", statuses.map { .text($0) })
        }
        filter.add(after: cursor, column: "created_at")
        let sql = """
            SELECT id, body, created_at, updated_at FROM things WHERE \(filter.conditions)
            ORDER BY created_at DESC, id DESC LIMIT ?
            """
        return try await database.read { [filter] connection in
            try connection.query(sql, filter.arguments + [.integer(Int64(limit))]).map { row in
                let id = try row.text("id")
                return ListedThing(
                    id: id, thing: try Stored.decode(Thing.self, row.text("body"), of: "\(kind.rawValue) \(id)"),
                    createdAt: Instant(milliseconds: try row.int("created_at")),
                    updatedAt: Instant(milliseconds: try row.int("updated_at")))
            }
        }
    }

    /// Lines of the ledger that come after a cursor, newest first.
    package func changes(service: String?, after cursor: ListCursor?, limit: Int) async throws -> [Change] {
        var filter = ListFilter("1 = 1", [])
        if let service { filter.add("service = ?", [.text(service)]) }
        filter.add(after: cursor, column: "at")
        let sql = "SELECT id, body FROM changes WHERE \(filter.conditions) ORDER BY at DESC, id DESC LIMIT ?"
        return try await database.read { [filter] connection in
            try connection.query(sql, filter.arguments + [.integer(Int64(limit))]).map(ChangeLedger.read)
        }
    }

    /// Customer reports that come after a cursor, newest first.
    package func reports(
        service: String, feature: String?, after cursor: ListCursor?, limit: Int
    ) async throws -> [Report] {
        var filter = ListFilter("service = ?", [.text(service)])
        if let feature { filter.add("feature = ?", [.text(feature)]) }
        filter.add(after: cursor, column: "at")
        let sql = "SELECT * FROM reports WHERE \(filter.conditions) ORDER BY at DESC, id DESC LIMIT ?"
        return try await database.read { [filter] connection in
            try connection.query(sql, filter.arguments + [.integer(Int64(limit))]).map { row in
                Report(
                    id: try row.text("id"), service: try row.text("service"), feature: try row.text("feature"),
                    text: try row.text("text"), reporter: try row.text("reporter"),
                    page: try row.optionalText("page"), at: Instant(milliseconds: try row.int("at")))
            }
        }
    }
}

/// Conditions that all hold, with their arguments.
private struct ListFilter: Sendable {
    var conditions: String
    var arguments: [SQLValue]

    init(_ condition: String, _ arguments: [SQLValue]) {
        conditions = condition
        self.arguments = arguments
    }

    mutating func add(_ condition: String, _ values: [SQLValue]) {
        conditions += " AND " + condition
        arguments += values
    }

    mutating func add(after cursor: ListCursor?, column: String) {
        guard let cursor else { return }
        let at = SQLValue.integer(cursor.at.milliseconds)
        add("(\(column) < ? OR (\(column) = ? AND id < ?))", [at, at, .text(cursor.id)])
    }
}
