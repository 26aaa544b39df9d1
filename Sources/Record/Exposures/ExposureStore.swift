import Decide
import SQL

/// What one process of a service saw in one interval, as MainstayKit sends it.
package struct ExposureBatch: Sendable {
    package struct Item: Sendable {
        package var flag: String
        package var variant: String
        package var version: Int64
        package var firstAt: Instant
        package var lastAt: Instant
        package var evaluations: Int64
        package var users: [UInt64]

        package init(
            flag: String, variant: String, version: Int64, firstAt: Instant, lastAt: Instant, evaluations: Int64,
            users: [UInt64]
        ) {
            self.flag = flag
            self.variant = variant
            self.version = version
            self.firstAt = firstAt
            self.lastAt = lastAt
            self.evaluations = evaluations
            self.users = users
        }
    }

    package var id: String
    package var service: String
    package var items: [Item]
    package var active: [UInt64]
    package var at: Instant

    package init(id: String, service: String, items: [Item], active: [UInt64], at: Instant) {
        self.id = id
        self.service = service
        self.items = items
        self.active = active
        self.at = at
    }
}

enum ExposureStore {
    /// Active users are kept by five minutes; "active" means seen in the last three of these.
    static let bucket: Int64 = 300_000
    static let activeBuckets: Int64 = 3

    static func add(_ batch: ExposureBatch, now: Instant, _ connection: any SQLConnection) throws {
        let fresh = try connection.execute(
            "INSERT INTO exposure_batches (id, at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
            [.text(batch.id), .integer(now.milliseconds)])
        guard fresh == 1 else { return }
        for item in batch.items { try add(item, batch.service, connection) }
        if !batch.active.isEmpty { try addActive(batch, connection) }
    }

    private static func add(_ item: ExposureBatch.Item, _ service: String, _ connection: any SQLConnection) throws {
        let key: [SQLValue] = [.text(service), .text(item.flag), .text(item.variant), .integer(item.version)]
        var sketch = try sketch(
            "SELECT sketch FROM exposures WHERE service = ? AND flag = ? AND variant = ? AND version = ?"
                + lock(connection), key, connection)
        for user in item.users { sketch.insert(user) }
        try connection.execute(
            """
            INSERT INTO exposures (service, flag, variant, version, first_at, last_at, evaluations, users, sketch)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (service, flag, variant, version) DO UPDATE SET
                first_at = CASE WHEN excluded.first_at < exposures.first_at THEN excluded.first_at
                    ELSE exposures.first_at END,
                last_at = CASE WHEN excluded.last_at > exposures.last_at THEN excluded.last_at
                    ELSE exposures.last_at END,
                evaluations = exposures.evaluations + excluded.evaluations, users = excluded.users,
                sketch = excluded.sketch
            """,
            key + [
                .integer(item.firstAt.milliseconds), .integer(item.lastAt.milliseconds), .integer(item.evaluations),
                SQLValue(sketch.count), .blob(sketch.bytes),
            ])
    }

    private static func addActive(_ batch: ExposureBatch, _ connection: any SQLConnection) throws {
        let key: [SQLValue] = [.text(batch.service), .integer(batch.at.milliseconds / bucket * bucket)]
        var sketch = try sketch(
            "SELECT sketch FROM active_users WHERE service = ? AND at = ?" + lock(connection), key, connection)
        for user in batch.active { sketch.insert(user) }
        try connection.execute(
            """
            INSERT INTO active_users (service, at, users, sketch) VALUES (?, ?, ?, ?)
            ON CONFLICT (service, at) DO UPDATE SET users = excluded.users, sketch = excluded.sketch
            """,
            key + [SQLValue(sketch.count), .blob(sketch.bytes)])
    }

    /// Two processes adding to one sketch must not overwrite each other.
    private static func lock(_ connection: any SQLConnection) -> String {
        connection.dialect == .postgres ? " FOR UPDATE" : ""
    }

    private static func sketch(
        _ sql: String, _ key: [SQLValue], _ connection: any SQLConnection
    ) throws -> UserSketch {
        guard let row = try connection.query(sql, key).first else { return UserSketch() }
        guard let sketch = UserSketch(bytes: try row.blob("sketch")) else {
            throw SQLError(.decoding, "a stored user sketch cannot be read")
        }
        return sketch
    }

    static func since(_ instant: Instant, _ connection: any SQLConnection) throws -> [Exposure] {
        try connection.query(
            """
            SELECT service, flag, variant, version, users, first_at, last_at FROM exposures
            WHERE last_at >= ? ORDER BY last_at DESC LIMIT 500
            """, [.integer(instant.milliseconds)]
        ).map { row in
            Exposure(
                service: try row.text("service"), flag: try row.text("flag"), variant: try row.text("variant"),
                version: try row.int("version"), users: Int(try row.int("users")),
                firstAt: Instant(milliseconds: try row.int("first_at")),
                lastAt: Instant(milliseconds: try row.int("last_at")))
        }
    }

    static func activeUsers(_ service: String, now: Instant, _ connection: any SQLConnection) throws -> Int {
        let since = (now.milliseconds / bucket - activeBuckets + 1) * bucket
        let rows = try connection.query(
            "SELECT sketch FROM active_users WHERE service = ? AND at >= ?", [.text(service), .integer(since)])
        var all = UserSketch()
        for row in rows {
            guard let sketch = UserSketch(bytes: try row.blob("sketch")) else {
                throw SQLError(.decoding, "a stored user sketch cannot be read")
            }
            all.merge(sketch)
        }
        return all.count
    }
}

extension Record {
    /// Counts a batch once, however often it is sent.
    package func add(_ batch: ExposureBatch) async throws {
        let now = self.now()
        try await database.write { connection in try ExposureStore.add(batch, now: now, connection) }
    }

    package func exposures(since: Instant) async throws -> [Exposure] {
        try await database.read { connection in try ExposureStore.since(since, connection) }
    }

    /// Distinct users seen in the last quarter of an hour.
    package func activeUsers(service: String) async throws -> Int {
        let now = self.now()
        return try await database.read { connection in
            try ExposureStore.activeUsers(service, now: now, connection)
        }
    }
}
