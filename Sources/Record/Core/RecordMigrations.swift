import SQL

/// The record's tables, oldest version first; forward only. A migration that was released is never edited.
package enum RecordMigrations {
    package static let schema = "mainstay"

    package static let all: [Migration] = [
        Migration(version: 1, name: "things, timeline, outbox", statements: core),
        Migration(version: 2, name: "ledger, reports, samples, exposures", statements: ledger),
        Migration(version: 3, name: "accounts, sessions, tokens", statements: access),
        Migration(version: 4, name: "queries", statements: queries),
    ]

    private static func core(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE things (
                kind TEXT NOT NULL, id TEXT NOT NULL, version BIGINT NOT NULL, service TEXT NOT NULL,
                status TEXT NOT NULL, due_at BIGINT, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
                body TEXT NOT NULL, PRIMARY KEY (kind, id))
            """,
            "CREATE INDEX things_by_due ON things (due_at) WHERE due_at IS NOT NULL",
            "CREATE INDEX things_by_time ON things (kind, created_at)",
            "CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
            "INSERT INTO counters (name, value) VALUES ('timeline', 0), ('outbox', 0)",
            """
            CREATE TABLE timeline (
                id BIGINT PRIMARY KEY, at BIGINT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL,
                actor_kind TEXT NOT NULL, actor TEXT NOT NULL, subject_kind TEXT NOT NULL, subject TEXT NOT NULL,
                service TEXT, feature TEXT, incident TEXT, change_id TEXT, data TEXT NOT NULL)
            """,
            "CREATE INDEX timeline_by_incident ON timeline (incident, id) WHERE incident IS NOT NULL",
            "CREATE INDEX timeline_by_change ON timeline (change_id, id) WHERE change_id IS NOT NULL",
            """
            CREATE TABLE outbox (
                id BIGINT PRIMARY KEY, effect_key TEXT NOT NULL UNIQUE, lane TEXT NOT NULL, body TEXT NOT NULL,
                created_at BIGINT NOT NULL, due_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
                attempts BIGINT NOT NULL, lease_owner TEXT, lease_until BIGINT, done_at BIGINT, outcome TEXT)
            """,
            "CREATE INDEX outbox_open ON outbox (lane, due_at) WHERE done_at IS NULL",
            """
            CREATE TABLE leases (
                name TEXT PRIMARY KEY, owner TEXT NOT NULL, until BIGINT NOT NULL)
            """,
        ] + appendOnly(dialect)
    }

    /// The timeline is evidence: the database itself refuses to change it.
    private static func appendOnly(_ dialect: SQLDialect) -> [String] {
        switch dialect {
        case .sqlite:
            ["UPDATE", "DELETE"].map {
                """
                CREATE TRIGGER timeline_no_\($0.lowercased()) BEFORE \($0) ON timeline
                BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END
                """
            }
        case .postgres:
            [
                """
                CREATE FUNCTION timeline_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN RAISE EXCEPTION ''the timeline is append-only''; END'
                """,
                """
                CREATE TRIGGER timeline_no_change BEFORE UPDATE OR DELETE ON timeline
                FOR EACH ROW EXECUTE FUNCTION timeline_is_append_only()
                """,
            ]
        }
    }

    private static func ledger(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE changes (
                id TEXT PRIMARY KEY, kind TEXT NOT NULL, service TEXT NOT NULL, feature TEXT, at BIGINT NOT NULL,
                body TEXT NOT NULL)
            """,
            "CREATE INDEX changes_by_time ON changes (at)",
            """
            CREATE TABLE reports (
                id TEXT PRIMARY KEY, service TEXT NOT NULL, feature TEXT NOT NULL, text TEXT NOT NULL,
                reporter TEXT NOT NULL, page TEXT, at BIGINT NOT NULL)
            """,
            "CREATE INDEX reports_by_time ON reports (service, feature, at)",
            """
            CREATE TABLE check_samples (
                check_id TEXT NOT NULL, resolution BIGINT NOT NULL, at BIGINT NOT NULL, runs BIGINT NOT NULL,
                failures BIGINT NOT NULL, took_total BIGINT NOT NULL, took_max BIGINT NOT NULL, last_failure TEXT,
                PRIMARY KEY (check_id, resolution, at))
            """,
            """
            CREATE TABLE exposures (
                service TEXT NOT NULL, flag TEXT NOT NULL, variant TEXT NOT NULL, version BIGINT NOT NULL,
                first_at BIGINT NOT NULL, last_at BIGINT NOT NULL, evaluations BIGINT NOT NULL, users BIGINT NOT NULL,
                sketch \(dialect.blob) NOT NULL, PRIMARY KEY (service, flag, variant, version))
            """,
            """
            CREATE TABLE active_users (
                service TEXT NOT NULL, at BIGINT NOT NULL, users BIGINT NOT NULL, sketch \(dialect.blob) NOT NULL,
                PRIMARY KEY (service, at))
            """,
            """
            CREATE TABLE exposure_batches (
                id TEXT PRIMARY KEY, at BIGINT NOT NULL)
            """,
            "CREATE INDEX exposure_batches_by_time ON exposure_batches (at)",
        ]
    }

    private static func access(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE accounts (
                name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL, created_at BIGINT NOT NULL,
                disabled_at BIGINT)
            """,
            """
            CREATE TABLE sessions (
                digest TEXT PRIMARY KEY, account TEXT NOT NULL, csrf TEXT NOT NULL, created_at BIGINT NOT NULL,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX sessions_by_expiry ON sessions (expires_at)",
            """
            CREATE TABLE tokens (
                digest TEXT PRIMARY KEY, name TEXT NOT NULL, account TEXT NOT NULL, scopes TEXT NOT NULL,
                created_at BIGINT NOT NULL, revoked_at BIGINT)
            """,
        ]
    }

    private static func queries(_ dialect: SQLDialect) -> [String] {
        [
            """
            CREATE TABLE query_samples (
                resolution BIGINT NOT NULL, at BIGINT NOT NULL, database_name TEXT NOT NULL, fingerprint TEXT NOT NULL,
                release_name TEXT NOT NULL, calls BIGINT NOT NULL, nanoseconds BIGINT NOT NULL,
                row_count BIGINT NOT NULL, writes BIGINT NOT NULL, empty_writes BIGINT NOT NULL, errors TEXT NOT NULL,
                latency TEXT NOT NULL, PRIMARY KEY (resolution, at, database_name, fingerprint, release_name))
            """,
            "CREATE INDEX query_samples_by_query ON query_samples (fingerprint, resolution, at)",
            "CREATE INDEX query_samples_by_release ON query_samples (release_name, resolution, at)",
            """
            CREATE TABLE query_texts (
                fingerprint TEXT PRIMARY KEY, text TEXT NOT NULL, last_at BIGINT NOT NULL)
            """,
            "CREATE INDEX query_texts_by_time ON query_texts (last_at)",
        ]
    }
}
