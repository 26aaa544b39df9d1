/// Queries as applications send them. `?` stands for a constant, `?*` for a list of constants.
enum QueriesCorpus {
    static let templates: [String] = [
        "SELECT abalance FROM pgbench_accounts WHERE aid = ?",
        "UPDATE pgbench_accounts SET abalance = abalance + ? WHERE aid = ?",
        "UPDATE pgbench_accounts SET abalance = abalance - ? WHERE aid = ?",
        "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (?, ?, ?, ?, CURRENT_TIMESTAMP)",
        "SELECT * FROM users WHERE id = ? LIMIT ?",
        "SELECT * FROM users WHERE id IN (?*)",
        "SELECT * FROM users WHERE id NOT IN (?*) AND name = ?",
        "SELECT id, email FROM users WHERE email = ? AND deleted_at IS NULL",
        "SELECT id, email FROM users WHERE email = ? AND deleted_at IS NOT NULL",
        "SELECT \"users\".* FROM \"users\" WHERE \"users\".\"id\" = ? ORDER BY \"users\".\"id\" ASC LIMIT ?",
        "SELECT count(*) FROM orders WHERE created_at > ? AND created_at < ?",
        "SELECT count(DISTINCT user_id) FROM orders WHERE total > ?",
        "SELECT o.id, p.title FROM orders o JOIN products p ON p.id = o.product_id WHERE o.user_id = ?",
        "SELECT o.id FROM orders o LEFT OUTER JOIN users u ON u.id = o.user_id WHERE u.name LIKE ?",
        "SELECT * FROM a INNER JOIN b USING (id) WHERE a.x = ? OR b.y = ?",
        "SELECT * FROM products ORDER BY price DESC NULLS LAST OFFSET ? LIMIT ?",
        "SELECT * FROM products WHERE price BETWEEN ? AND ?",
        "SELECT * FROM products WHERE tags @> ? AND data ->> ? = ?",
        "SELECT * FROM products WHERE data #>> ? IS NOT NULL",
        "SELECT * FROM products WHERE title ILIKE ? ESCAPE ?",
        "SELECT * FROM products WHERE title ~* ?",
        "SELECT * FROM products WHERE id = ANY(?)",
        "SELECT * FROM products WHERE id = ANY(ARRAY[?, ?])",
        "SELECT * FROM products WHERE (a, b) IN ((?, ?), (?, ?))",
        "SELECT * FROM products WHERE EXISTS (SELECT ? FROM orders WHERE orders.product_id = products.id)",
        "SELECT a FROM t WHERE b IN (SELECT c FROM u WHERE d = ?)",
        "SELECT a FROM t WHERE b IN (SELECT c FROM u ORDER BY e, e, f LIMIT ?)",
        "SELECT CASE WHEN a = ? THEN ? ELSE ? END FROM t",
        "SELECT coalesce(a, ?), nullif(b, ?) FROM t",
        "SELECT cast(? AS integer), ?::text, a::numeric(10,2) FROM t",
        "SELECT a::float(24) FROM t", "SELECT a::float(53) FROM t", "SELECT a::varchar(10) FROM t",
        "SELECT date_trunc(?, created_at), sum(total) FROM orders GROUP BY 1 ORDER BY 1",
        "SELECT date_trunc(?, created_at), sum(total) FROM orders GROUP BY date_trunc(?, created_at)",
        "SELECT extract(year FROM d), extract(epoch FROM e) FROM t WHERE f > ?",
        "SELECT row_number() OVER (PARTITION BY a ORDER BY b) FROM t WHERE c = ?",
        "SELECT sum(a) OVER (ORDER BY b ROWS BETWEEN ? PRECEDING AND CURRENT ROW) FROM t",
        "SELECT array_agg(a ORDER BY b) FILTER (WHERE c > ?) FROM t",
        "SELECT percentile_cont(?) WITHIN GROUP (ORDER BY a) FROM t",
        "SELECT a FROM t UNION ALL SELECT b FROM u WHERE c = ?",
        "SELECT a FROM t EXCEPT SELECT b FROM u WHERE c = ? ORDER BY 1",
        "(SELECT a FROM t WHERE b = ?) UNION (SELECT a FROM u WHERE b = ?) LIMIT ?",
        "WITH x AS (SELECT a FROM t WHERE b = ?) SELECT * FROM x WHERE a > ?",
        "WITH RECURSIVE n AS (SELECT ? AS i UNION ALL SELECT i + ? FROM n WHERE i < ?) SELECT * FROM n",
        "WITH moved AS (DELETE FROM t WHERE a = ? RETURNING *) INSERT INTO u SELECT * FROM moved",
        "INSERT INTO t (a, b) VALUES (?, ?)",
        "INSERT INTO t (a, b) VALUES (?, ?), (?, ?), (?, ?)",
        "INSERT INTO t (a, b) VALUES (?, ?) RETURNING id",
        "INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT (a) DO NOTHING",
        "INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT (a) DO UPDATE SET b = excluded.b, c = ?",
        "INSERT INTO t (a, b) VALUES (?, DEFAULT)", "INSERT INTO t DEFAULT VALUES",
        "INSERT INTO t (a, b) SELECT a, ? FROM u WHERE c = ?",
        "INSERT INTO favorites (user_id, product_id, created_at) VALUES (?, ?, now())",
        "INSERT INTO favorites (user_id, created_at) VALUES (?, now()), (?, now())",
        "UPDATE users SET name = ?, email = ? WHERE id = ?", "UPDATE users SET name = DEFAULT WHERE id = ?",
        "UPDATE users SET (name, email) = (?, ?) WHERE id = ?",
        "UPDATE users u SET name = o.name FROM others o WHERE o.id = u.id AND o.x = ?",
        "UPDATE t SET a = ?, b = b || ?, c = NOT c WHERE d = ? RETURNING a",
        "UPDATE t SET a[?] = ? WHERE b = ?", "UPDATE t SET a = a * ? / ? % ?",
        "DELETE FROM users WHERE id = ?", "DELETE FROM users USING old WHERE old.id = users.id AND old.a < ?",
        "DELETE FROM users WHERE created_at < now() - interval ?", "TABLE users", "VALUES (?, ?), (?, ?)",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND s.a > ? THEN UPDATE SET b = ? WHEN NOT MATCHED THEN INSERT VALUES (?)",
        "SELECT * FROM t WHERE a = ? FOR UPDATE", "SELECT * FROM t WHERE a = ? FOR UPDATE SKIP LOCKED LIMIT ?",
        "SELECT * FROM t WHERE a = ? FOR NO KEY UPDATE", "SELECT * FROM t TABLESAMPLE system (?)",
        "SELECT * FROM generate_series(?, ?) AS g (i)", "SELECT * FROM t, LATERAL (SELECT ? FROM u WHERE u.a = t.a) x",
        "SELECT * FROM unnest(?, ?) WITH ORDINALITY", "SELECT pg_advisory_xact_lock(?)", "SELECT nextval(?)",
        "SELECT a FROM t WHERE b = -? AND c = - ?", "SELECT a -? FROM t", "SELECT a - -? FROM t", "SELECT -(?) FROM t",
        "SELECT a FROM t WHERE b IS TRUE AND c IS NOT FALSE AND d = ?", "SELECT a FROM t WHERE b IS DISTINCT FROM ?",
        "SELECT f(a, ?), f(?), f(?, ?) FROM t", "SELECT f(x => ?, y => ?)", "SELECT (row(?, ?)).a, (t.b).c FROM t",
        "SELECT a FROM t WHERE b COLLATE \"C\" < ?", "SELECT now() AT TIME ZONE ?", "SELECT a[?], a[?:?] FROM t",
        "SELECT a FROM t GROUP BY ROLLUP (a, b) HAVING count(*) > ?", "SELECT DISTINCT ON (a) a, b FROM t WHERE c = ?",
        "SELECT substring(a FROM ? FOR ?), position(? IN a), overlay(a PLACING ? FROM ?) FROM t",
        "SELECT xmlelement(name a, ?)", "SELECT a FROM t FETCH FIRST ? ROWS ONLY", "SELECT 1 AS one, ? AS two",
        "SELECT a FROM t WHERE b = ? AND (c = ? OR d IN (?*) OR e IN (?*))",
        "SELECT DATE ?, TIMESTAMP ?, INTERVAL ? DAY",
        "EXECUTE p (?, ?)", "CALL p (?, ?)", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "SHOW server_version",
        "SET application_name = ?", "COPY t (a, b) FROM STDIN WITH (FORMAT csv, DELIMITER ',')",
        "DECLARE c CURSOR FOR SELECT ?",
        "EXPLAIN SELECT * FROM t WHERE a = ?", "CREATE TABLE t (a int DEFAULT 5, b varchar(10) CHECK (b <> 'x'))",
        "ALTER TABLE t ADD COLUMN c numeric(10, 2)", "SELECT 1; SELECT ?", "BEGIN; UPDATE t SET a = ?; COMMIT",
    ]

    /// Constants of all spellings that can stand anywhere.
    static let constants: [String] = [
        "1", "42", "3.14", ".5", "1e9", "'x'", "''", "'it''s'", "E'a\\'b'", "$$x$$", "$q$it's$q$", "$1", "$2",
        "'1 day'",
        "U&'\\0041'", "B'101'", "X'1F'",
    ]

    /// The templates with one constant everywhere.
    static var texts: [String] {
        templates.map { template in
            template.replacing("?*", by: "'1', '2', '3'").replacing("?", by: "'1'")
        }
    }

    /// A template with constants by chance.
    static func variant(_ template: String, _ chance: inout QueriesChance) -> String {
        var text = ""
        var rest = Array(template)[...]
        while let character = rest.popFirst() {
            guard character == "?" else {
                text.append(character)
                continue
            }
            if rest.first == "*" {
                rest.removeFirst()
                text += (0...chance.below(6)).map { _ in chance.pick(constants) }.joined(separator: ", ")
            } else {
                text += chance.pick(constants)
            }
        }
        return text
    }
}

extension String {
    func replacing(_ part: String, by other: String) -> String {
        var result = ""
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(part) {
                result += other
                rest = rest.dropFirst(part.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }
}
