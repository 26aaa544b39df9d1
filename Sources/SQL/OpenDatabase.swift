/// Opens the database that a location names.
///
/// `postgres://…` and `postgresql://…` are PostgreSQL, connected when first used. Anything else is the path of a SQLite
/// file, with or without `sqlite:` before it; the file is made when there is none.
package func openDatabase(_ location: String) throws -> any SQLDatabase {
    if PostgresLocation.isURL(location) { return try PostgresDatabase(url: location) }
    return try SQLiteDatabase(path: try sqlitePath(location))
}

/// Finds what is wrong with a location as it is written; nothing is opened or connected.
///
/// - Parameter nearest: given a name that is unknown and those that are known, the one that was meant.
/// - Throws: `SQLError.statement`; the message holds no value of the location, which may be a password.
package func checkLocation(
    _ location: String, nearest: @escaping (_ name: String, _ names: [String]) -> String? = { _, _ in nil }
) throws(SQLError) {
    if PostgresLocation.isURL(location) {
        _ = try PostgresLocation(url: location, nearest: nearest)
    } else {
        _ = try sqlitePath(location)
    }
}

/// `sqlite:data.db`, `sqlite:///var/data.db` and `data.db` are paths.
func sqlitePath(_ location: String) throws(SQLError) -> String {
    var path = location
    if path.hasPrefix("sqlite:") { path.removeFirst("sqlite:".count) }
    if path.hasPrefix("//") { path.removeFirst(2) }
    guard !path.isEmpty, !path.contains("://"), !path.utf8.contains(0) else {
        throw SQLError(.statement, "a database is postgres://…, or the path of a SQLite file")
    }
    return path
}
