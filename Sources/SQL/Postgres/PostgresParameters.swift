import CLibPQ

/// Says what is wrong with the parameters of a PostgreSQL URL (`?sslmode=verify-full&…`), before anything is connected.
///
/// libpq refuses an unknown one in words that may quote a password, takes the last of two that contradict each other,
/// and reads the value of `sslmode` only when it connects.
struct PostgresParameters {
    /// Finds what somebody meant to write among what there is.
    typealias Nearest = (_ name: String, _ names: [String]) -> String?

    static let modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
    private static let verifying: Set<String> = ["require", "verify-ca", "verify-full"]
    /// JDBC's way to say `sslmode=require`, which libpq understands in URLs.
    private static let aliases = ["ssl"]

    let nearest: Nearest

    /// The query as it is written. A query that cannot be read is left to libpq.
    func problem(inQuery query: Substring) -> String? {
        // A password with a bare `?` in it would be read as a query; no part of it may be repeated.
        guard !query.contains("@") else { return nil }
        let known = Self.names + Self.aliases
        var seen: Set<Substring> = []
        for item in query.split(separator: "&") {
            guard let equals = item.firstIndex(of: "="), equals > item.startIndex else { return nil }
            let name = item[..<equals]
            guard name.utf8.allSatisfy(Self.isOfName), name.utf8.count <= 40 else { return nil }
            guard known.contains(String(name)) else {
                let meant = nearest(String(name), known).map { "; did you mean '\($0)'?" }
                return "the PostgreSQL URL has an unknown parameter '\(name)'"
                    + (meant ?? " (libpq's are known, such as sslmode, sslrootcert and target_session_attrs)")
            }
            guard seen.insert(name).inserted else {
                return "the PostgreSQL URL has the parameter '\(name)' twice"
            }
        }
        return nil
    }

    /// Parameters as libpq read them.
    func problem(in parameters: [String: String]) -> String? {
        let mode = parameters["sslmode"]
        if let mode, !Self.modes.contains(mode) {
            let meant = nearest(mode, Self.modes).map { "; did you mean '\($0)'?" } ?? ""
            return "sslmode in the PostgreSQL URL is none of \(Self.modes.joined(separator: ", "))\(meant)"
        }
        // libpq would try without TLS when the certificate is wrong, so the file would protect nobody.
        if parameters["sslrootcert"] != nil, !Self.verifying.contains(mode ?? "prefer") {
            return "sslrootcert in the PostgreSQL URL has no effect without sslmode=verify-full beside it"
        }
        return nil
    }

    /// Every parameter that the installed libpq knows.
    private static let names: [String] = {
        let options = PQconninfoParse("", nil)
        defer { PQconninfoFree(options) }
        guard var option = options else { return [] }
        var names: [String] = []
        while let keyword = option.pointee.keyword {
            names.append(String(cString: keyword))
            option += 1
        }
        return names
    }()

    private static func isOfName(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
