import CLibPQ

/// A PostgreSQL URL, read by libpq itself, and a way to speak of it without its password.
struct PostgresLocation: Sendable, CustomStringConvertible, CustomReflectable {
    /// Connection parameters as libpq names them.
    let parameters: [String: String]
    /// `database storefront at db.example.com:5432`: for messages.
    let summary: String
    private let secrets: [String]

    var description: String { summary }
    /// So that no dump of a value that holds this one shows the password.
    var customMirror: Mirror { Mirror(self, children: ["summary": summary]) }

    static func isURL(_ location: String) -> Bool {
        location.hasPrefix("postgres://") || location.hasPrefix("postgresql://")
    }

    /// - Parameter nearest: finds the parameter that a misspelt one was meant to be.
    init(url: String, nearest: @escaping PostgresParameters.Nearest = { _, _ in nil }) throws(SQLError) {
        // libpq's own message is not passed on: it quotes the part it did not understand, which may be the password.
        let unreadable = SQLError(
            .statement,
            "the PostgreSQL URL cannot be read; it looks like postgres://user:password@host:5432/database, with special"
                + " characters in user and password percent-encoded")
        guard Self.isURL(url), !Self.hasBareSeparatorInCredentials(url) else { throw unreadable }
        let rules = PostgresParameters(nearest: nearest)
        let query = url.firstIndex(of: "?").map { url[url.index(after: $0)...] }
        if let problem = query.flatMap(rules.problem(inQuery:)) { throw SQLError(.statement, problem) }
        guard let parameters = Self.parse(url) else { throw unreadable }
        let ports = (parameters["port"] ?? "").split(separator: ",")
        guard ports.allSatisfy({ UInt16($0) != nil }) else { throw unreadable }
        if let problem = rules.problem(in: parameters) { throw SQLError(.statement, problem) }
        self.parameters = parameters
        let host = parameters["host"] ?? parameters["hostaddr"] ?? "the local socket"
        let port = ports.isEmpty ? "" : ":" + ports.joined(separator: ",")
        summary = "database \(parameters["dbname"] ?? parameters["user"] ?? "postgres") at \(host)\(port)"
        secrets = [parameters["password"], parameters["sslpassword"]].compactMap { $0 }.filter { !$0.isEmpty }
    }

    func redacted(_ message: String) -> String {
        secrets.reduce(message) { message, secret in
            message.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "***")
        }
    }

    /// `postgres://user:pa/ss@host`: everything after the `/` would be taken for a database name.
    private static func hasBareSeparatorInCredentials(_ url: String) -> Bool {
        guard let scheme = url.firstRange(of: "://") else { return true }
        let rest = url[scheme.upperBound...]
        let query = rest.firstIndex(of: "?") ?? rest.endIndex
        guard let at = rest[..<query].lastIndex(of: "@") else {
            // A bare `?` in the password would leave the `@` behind it.
            return rest[query...].contains("@") && rest[..<query].contains(":") && !rest[..<query].contains("/")
        }
        return rest[..<at].contains { $0 == "/" || $0 == "#" || $0 == "@" }
    }

    private static func parse(_ url: String) -> [String: String]? {
        var message: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(url, &message)
        defer {
            PQconninfoFree(options)
            PQfreemem(message)
        }
        guard var option = options else { return nil }
        var parameters: [String: String] = [:]
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parameters[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return parameters
    }
}
