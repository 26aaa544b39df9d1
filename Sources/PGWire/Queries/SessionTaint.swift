/// What a query's text leaves behind in its server session, so that another client must not get that session as it is.
///
/// Each taint, what sets it, and what clears it (`DISCARD ALL` clears all but the last two):
///
/// - `settings`: `SET x`, `SET SESSION x`, `RESET x`, `SET TIME ZONE`, `SET NAMES`, `SET SCHEMA`, `SET XML OPTION`,
///   `SET SESSION CHARACTERISTICS`, `set_config(…)` unless `is_local` is the word `true`, `UPDATE pg_settings`,
///   `set_limit(…)`. Cleared by `RESET ALL`.
/// - `role`: `SET ROLE`, `SET role = …`, `set_config` of it or of an unknown name. Cleared by `RESET ROLE`.
/// - `authorization`: `SET SESSION AUTHORIZATION`, `set_config` of it or of an unknown name. Cleared by `RESET SESSION
///   AUTHORIZATION` and `SET SESSION AUTHORIZATION DEFAULT`.
/// - `prepare`: `PREPARE` (not `PREPARE TRANSACTION`). Cleared by `DEALLOCATE ALL`.
/// - `listen`: `LISTEN`. Cleared by `UNLISTEN *`.
/// - `temporary`: `CREATE TEMP …` (unless `ON COMMIT DROP`), `SELECT … INTO TEMP`, any name `pg_temp…`, `pg_temp` in
///   the text of a `SET` or `set_config`. Cleared by `DISCARD TEMP`.
/// - `heldCursor`: `DECLARE … WITH HOLD`. Cleared by `CLOSE ALL`.
/// - `advisoryLock`: `pg_advisory_lock`, `pg_try_advisory_lock` and their `_shared` forms (the `_xact_` forms end with
///   the transaction). Cleared by `SELECT pg_advisory_unlock_all()` alone.
/// - `backend`: `LOAD`, `dblink_connect`, `setseed` and `SET seed`, replication origins and slots of a session. Cleared
///   only by the end of the session.
/// - `unreadable`: an open quote or comment, escapes in `U&"names"`, an unknown command, SQL in a text that a function
///   runs (`query_to_xml`), `SET standard_conforming_strings` to anything but `on`, `SET client_encoding` to an
///   encoding whose letters may contain ASCII bytes. Cleared only by the end of the session.
///
/// A plain setting that is certain to be in force is no taint of its client any more: see `CarriedChanges`.
///
/// Not tainted: `SET LOCAL`, `SET TRANSACTION`, `SET CONSTRAINTS` and `set_config(…, true)`, which end with the
/// transaction. Functions are found by name in any letter case, in quotes, with a schema before them, with comments and
/// space between name and parenthesis, in expressions, CTEs, `EXPLAIN ANALYZE` and `PREPARE`. The text of a `DO` is
/// searched for the same commands and functions. Unknowable from a text, and therefore not here: what functions,
/// procedures, triggers and rules of the database do, and SQL that is put together at run time.
///
/// When in doubt, a taint is set: pinning a client to its session is safe, passing the session on is not. A command
/// which the server refuses changes nothing: whoever sees the refusal may drop the taint.
package struct SessionTaint: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    package static let settings = SessionTaint(rawValue: 1 << 0)
    package static let role = SessionTaint(rawValue: 1 << 1)
    package static let authorization = SessionTaint(rawValue: 1 << 2)
    package static let prepare = SessionTaint(rawValue: 1 << 3)
    package static let listen = SessionTaint(rawValue: 1 << 4)
    package static let temporary = SessionTaint(rawValue: 1 << 5)
    package static let heldCursor = SessionTaint(rawValue: 1 << 6)
    package static let advisoryLock = SessionTaint(rawValue: 1 << 7)
    package static let backend = SessionTaint(rawValue: 1 << 8)
    package static let unreadable = SessionTaint(rawValue: 1 << 9)

    /// What `DISCARD ALL` takes away.
    package static let discardable: SessionTaint = [
        .settings, .role, .authorization, .prepare, .listen, .temporary, .heldCursor, .advisoryLock,
    ]

    /// What any change of a setting whose name is unknown may be.
    static let anySetting: SessionTaint = [.settings, .role, .authorization]

    /// The state of a session after a text has succeeded. What a text clears is taken off first, so that `RESET ALL;
    /// SET x = 1` leaves a taint; `SET x = 1; RESET ALL` leaves one too, which is safe.
    ///
    /// Apply it when the text's transaction has committed: a rollback takes `RESET ALL` and `UNLISTEN *` back. A
    /// taint may be applied as soon as the text is sent.
    package func after(_ query: QueryInfo) -> SessionTaint {
        subtracting(query.clears).union(query.taints)
    }
}

extension SessionTaint: CustomStringConvertible {
    private static let names: [(SessionTaint, String)] = [
        (.settings, "settings"), (.role, "role"), (.authorization, "authorization"), (.prepare, "prepare"),
        (.listen, "listen"), (.temporary, "temporary"), (.heldCursor, "held cursor"),
        (.advisoryLock, "advisory lock"), (.backend, "backend"), (.unreadable, "unreadable"),
    ]

    /// The taints' names with commas between them, for logs and the console.
    package var description: String { names.joined(separator: ", ") }

    package var names: [String] { Self.names.filter { contains($0.0) }.map(\.1) }

    package static var allNames: [String] { names.map(\.1) }
}
