import Decide
import Logging
import SQL

/// An effect that this process has leased: it performs it and reports the outcome before the lease ends, or another
/// process takes it over.
package struct ClaimedEffect: Sendable {
    package var id: Int64
    package var key: String
    package var effect: Effect
    /// 1 for the first try.
    package var attempt: Int
    package var createdAt: Instant
    package var expiresAt: Instant
    package var owner: String
}

package enum Outbox {
    static func add(_ effect: Effect, at now: Instant, _ connection: any SQLConnection) throws -> Bool {
        let id = try Counters.take("outbox", 1, connection)
        return try connection.execute(
            """
            INSERT INTO outbox (id, effect_key, lane, body, created_at, due_at, expires_at, attempts)
            VALUES (?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (effect_key) DO NOTHING
            """,
            [
                .integer(id), .text(effect.key), .text(effect.lane.rawValue), .text(try Stored.encode(effect)),
                .integer(now.milliseconds), .integer(now.milliseconds),
                .integer((now + effect.lifetime).milliseconds),
            ]) == 1
    }

    static func finish(
        _ effect: ClaimedEffect, outcome: String, at now: Instant, _ connection: any SQLConnection
    ) throws {
        let changed = try connection.execute(
            """
            UPDATE outbox SET done_at = ?, outcome = ?, lease_owner = NULL, lease_until = NULL
            WHERE id = ? AND done_at IS NULL AND lease_owner = ?
            """,
            [.integer(now.milliseconds), .text(outcome), .integer(effect.id), .text(effect.owner)])
        guard changed == 1 else {
            throw Refusal(.conflict, "Effect \(effect.key) was taken over by another process.")
        }
    }
}

extension Record {
    /// Leases up to `limit` effects of a lane that are due.
    package func claim(
        _ lane: Effect.Lane, owner: String, lease: Span, limit: Int
    ) async throws -> [ClaimedEffect] {
        let (now, logger) = (self.now(), self.logger)
        return try await database.write { connection in
            let rows = try connection.query(
                """
                UPDATE outbox SET lease_owner = ?, lease_until = ?, attempts = attempts + 1
                WHERE id IN (
                    SELECT id FROM outbox
                    WHERE done_at IS NULL AND lane = ? AND due_at <= ? AND (lease_until IS NULL OR lease_until < ?)
                    ORDER BY due_at, id LIMIT ? \(connection.dialect.skipLocked))
                RETURNING id, effect_key, body, attempts, created_at, expires_at
                """,
                [
                    .text(owner), .integer((now + lease).milliseconds), .text(lane.rawValue),
                    .integer(now.milliseconds), .integer(now.milliseconds), .integer(Int64(limit)),
                ])
            return try rows.compactMap { row in try Self.claimed(row, owner: owner, logger) }.sorted { $0.id < $1.id }
        }
    }

    /// An effect that cannot be read (a newer version's, say) is passed over, so that it holds up no other; its lease
    /// ends and a process that knows it takes it.
    private static func claimed(_ row: SQLRow, owner: String, _ logger: Logger) throws -> ClaimedEffect? {
        let key = try row.text("effect_key")
        let effect: Effect
        do {
            effect = try Stored.decode(Effect.self, row.text("body"), of: "effect \(key)")
        } catch {
            logger.error("an effect cannot be read and is passed over", metadata: ["cause": "\(error)"])
            return nil
        }
        return ClaimedEffect(
            id: try row.int("id"), key: key, effect: effect, attempt: Int(try row.int("attempts")),
            createdAt: Instant(milliseconds: try row.int("created_at")),
            expiresAt: Instant(milliseconds: try row.int("expires_at")), owner: owner)
    }

    /// Puts an effect back for a later try, and applies what the failed try means.
    package func postpone(_ effect: ClaimedEffect, until: Instant, _ occurrences: [Occurrence]) async throws {
        let (now, policy) = (self.now(), self.policy)
        let applied = try await database.write { connection in
            let changed = try connection.execute(
                """
                UPDATE outbox SET due_at = ?, lease_owner = NULL, lease_until = NULL
                WHERE id = ? AND done_at IS NULL AND lease_owner = ?
                """,
                [.integer(until.milliseconds), .integer(effect.id), .text(effect.owner)])
            guard changed == 1 else {
                throw Refusal(.conflict, "Effect \(effect.key) was taken over by another process.")
            }
            var transaction = StepTransaction(connection: connection, now: now, policy: policy)
            try transaction.run(occurrences)
            return try transaction.commit()
        }
        announce(applied)
    }

    /// When the next effect of a lane is due or its lease ends; nil: the lane is empty.
    package func nextDue(_ lane: Effect.Lane) async throws -> Instant? {
        try await database.read { connection in
            try connection.query(
                """
                SELECT MIN(CASE WHEN lease_until IS NULL THEN due_at ELSE lease_until END) AS at
                FROM outbox WHERE done_at IS NULL AND lane = ?
                """, [.text(lane.rawValue)]
            ).first?.optionalInt("at").map(Instant.init(milliseconds:))
        }
    }

    /// Effects not yet done, by lane: the outbox's depth.
    package func outboxDepth() async throws -> [String: Int] {
        try await database.read { connection in
            let rows = try connection.query(
                "SELECT lane, COUNT(*) AS n FROM outbox WHERE done_at IS NULL GROUP BY lane")
            return Dictionary(try rows.map { (try $0.text("lane"), Int(try $0.int("n"))) }, uniquingKeysWith: { $1 })
        }
    }
}
