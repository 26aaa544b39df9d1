import Decide
import Foundation
import SQL

/// A thing with its version and deadline, as the table `things` holds it.
struct StoredThing: Sendable {
    var thing: Thing
    var version: Int64
    var due: Instant?
    var isNew: Bool

    /// - Parameter locking: makes others who want to step the same thing wait, instead of losing the race at the end.
    ///   SQLite has one writer anyway.
    static func load(
        _ subject: Subject, locking: Bool = false, _ connection: any SQLConnection
    ) throws -> StoredThing? {
        let lock = locking && connection.dialect == .postgres ? " FOR UPDATE" : ""
        let rows = try connection.query(
            "SELECT version, due_at, body FROM things WHERE kind = ? AND id = ?\(lock)",
            [.text(subject.kind.rawValue), .text(subject.id)])
        guard let row = rows.first else { return nil }
        return StoredThing(
            thing: try Stored.decode(Thing.self, row.text("body"), of: subject.description),
            version: try row.int("version"), due: try row.optionalInt("due_at").map(Instant.init(milliseconds:)),
            isNew: false)
    }

    func save(_ subject: Subject, at now: Instant, _ connection: any SQLConnection) throws {
        let body = SQLValue.text(try Stored.encode(thing))
        let due = SQLValue(due?.milliseconds)
        let changed =
            isNew
            ? try connection.execute(
                """
                INSERT INTO things (kind, id, version, service, status, due_at, created_at, updated_at, body)
                VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO NOTHING
                """,
                [
                    .text(subject.kind.rawValue), .text(subject.id), .text(thing.service), .text(thing.status), due,
                    .integer(now.milliseconds), .integer(now.milliseconds), body,
                ])
            : try connection.execute(
                """
                UPDATE things SET version = version + 1, service = ?, status = ?, due_at = ?, updated_at = ?, body = ?
                WHERE kind = ? AND id = ? AND version = ?
                """,
                [
                    .text(thing.service), .text(thing.status), due, .integer(now.milliseconds), body,
                    .text(subject.kind.rawValue), .text(subject.id), .integer(version),
                ])
        guard changed == 1 else { throw SQLError(.conflict, "\(subject) was changed at the same time") }
    }
}

/// How values stand in text columns: JSON with sorted keys, so that equal values are equal text.
package enum Stored {
    package static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, _ text: String, of what: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw SQLError(.decoding, "the stored state of \(what) cannot be read: \(error)")
        }
    }
}
