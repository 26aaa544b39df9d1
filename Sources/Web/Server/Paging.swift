import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// Which part of a list is asked for: `limit` items after where the page before ended.
struct Paging: Sendable {
    static let limits: ClosedRange<Int64> = 1...200
    static let standard = 50

    static let parameters = [
        QueryParameter("limit", "How many items, \(standard) unless told.", Schema.integer(limits)),
        QueryParameter("before", "`next` of the page before this one."),
    ]

    var limit: Int
    var before: String?

    init(_ query: Query) throws {
        limit = try query.integer("limit", Paging.limits).map { Int($0) } ?? Paging.standard
        before = try query.text("before", upTo: 1_000)
    }

    /// Where the page before ended, for lists that are ordered by time.
    func cursor() throws -> ListCursor? {
        guard let before else { return nil }
        let parts = before.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let at = Int64(parts[0]) else {
            throw Problem(.badRequest, "'before' is not the 'next' of a page.")
        }
        return ListCursor(at: Instant(milliseconds: at), id: String(parts[1]))
    }

    /// Answers with one page. `items` may hold one more than `limit`: that one is only the sign that there are more.
    func answer<Item>(_ items: [Item], cursor: (Item) -> ListCursor, json: (Item) -> JSONValue) -> Response {
        let shown = items.prefix(limit)
        let next = items.count > limit ? shown.last.map(cursor) : nil
        return Paging.response(shown.map(json), next: next.map { "\($0.at.milliseconds).\($0.id)" })
    }

    /// Answers with one page of a list that is whole, ordered by name.
    func answer<Item>(whole items: [Item], name: (Item) -> String, json: (Item) -> JSONValue) -> Response {
        let rest = before.map { before in items.filter { name($0) > before } } ?? items
        let shown = rest.prefix(limit)
        return Paging.response(shown.map(json), next: rest.count > limit ? shown.last.map(name) : nil)
    }

    static func response(_ items: [JSONValue], next: String?) -> Response {
        Response(json: ["items": .array(items), "next": .text(next)])
    }
}

extension JSONValue {
    static func text(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
    static func time(_ instant: Instant?) -> JSONValue { instant.map { .string(RFC3339.format($0)) } ?? .null }
    static func count(_ count: Int) -> JSONValue { .integer(Int64(count)) }
    static func map(_ words: [String: String]) -> JSONValue { .object(words.mapValues(JSONValue.string)) }
}
