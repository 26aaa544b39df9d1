extension PostgresReviewSession {
    /// Read as the URL's user: the reviewed role need not see the catalog, but names are found on its search path.
    func table(schema: String?, name: String) throws -> ReviewedTable? {
        let reference = [schema, name].compactMap { $0 }.map(Self.quoted).joined(separator: ".")
        guard !reference.utf8.contains(0) else { return nil }
        return try inTransaction { session in
            try session.command("RESET ROLE")
            guard let size = try session.rows(Self.sizes, [.text(reference)]).first else { return nil }
            let columns = try session.rows(Self.columns, [.text(reference)]).map { row in
                ReviewedTable.Column(
                    name: try row.text("name"), type: try row.text("type"), isNotNull: try row.int("required") == 1)
            }
            let checks = try session.rows(Self.checks, [.text(reference)]).map { try $0.text("definition") }
            let isAnalyzed = try size.int("unknown") == 0
            return ReviewedTable(
                schema: try size.text("schema"), name: try size.text("name"),
                rows: isAnalyzed ? try size.real("rows") : nil, bytes: try size.real("bytes"), columns: columns,
                checks: checks)
        }
    }

    package static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// Rows as the planner counts them: the density of the last ANALYZE over the pages of now, over all partitions.
    private static let sizes = """
        WITH target AS (
            SELECT c.oid, c.relname, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = to_regclass($1)
        ), leaf AS (
            SELECT target.oid AS target, coalesce(part.relid, target.oid) AS oid
            FROM target LEFT JOIN LATERAL (
                SELECT relid FROM pg_partition_tree(target.oid) WHERE isleaf
            ) part ON true
        ), sized AS (
            SELECT pg_relation_size(c.oid)::float8 AS bytes, c.reltuples::float8 AS tuples, c.relpages AS pages,
                (c.reltuples < 0 OR c.relpages = 0 AND c.reltuples = 0) AND pg_relation_size(c.oid) > 0 AS unknown
            FROM leaf JOIN pg_class c ON c.oid = leaf.oid
        )
        SELECT target.nspname::text AS schema, target.relname::text AS name, sum(sized.bytes) AS bytes,
            sum(CASE WHEN sized.pages > 0
                THEN sized.tuples / sized.pages * (sized.bytes / current_setting('block_size')::float8)
                ELSE greatest(sized.tuples, 0) END) AS rows,
            max(sized.unknown::int) AS unknown
        FROM target CROSS JOIN sized GROUP BY target.nspname, target.relname
        """

    private static let columns = """
        SELECT attname::text AS name, format_type(atttypid, atttypmod) AS type, attnotnull::int AS required
        FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
        """

    private static let checks = """
        SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint
        WHERE conrelid = to_regclass($1) AND contype = 'c' AND convalidated
        """
}
