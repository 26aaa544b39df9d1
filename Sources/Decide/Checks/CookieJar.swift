/// The cookies of one run (RFC 6265): host-only, by path, gone with the run.
///
/// A cookie's `Domain` is not honoured: a check talks to the hosts it names, and none of them may set cookies for
/// another.
package struct CookieJar: Hashable, Sendable {
    private struct Key: Hashable {
        var host: String
        var path: String
        var name: String
    }

    private struct Cookie: Hashable {
        var value: String
        var isSecure: Bool
        var expiresAt: Instant?
    }

    /// Where a request goes, as far as cookies care.
    package struct Address: Hashable, Sendable {
        package var host: String
        package var path: String
        package var isSecure: Bool

        package init(host: String, path: String, isSecure: Bool) {
            self.host = host.lowercased()
            self.path = path.hasPrefix("/") ? String(path.prefix { $0 != "?" && $0 != "#" }) : "/"
            self.isSecure = isSecure
        }

        /// Browsers treat the own machine as secure; so do we, or a service under test could not keep a session.
        fileprivate var mayCarrySecure: Bool {
            isSecure || host == "localhost" || host.hasPrefix("127.") || host == "::1" || host == "[::1]"
        }

        fileprivate var directory: String {
            let directory = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
            return directory.isEmpty ? "/" : String(directory)
        }
    }

    private var cookies: [Key: Cookie] = [:]

    /// A service that sets more is not answered with them.
    package static let limit = 100

    package init() {}

    /// Takes one `Set-Cookie` header's value; one that is not a cookie is ignored, as browsers do.
    package mutating func take(_ header: String, from address: Address, at now: Instant) {
        let parts = header.split(separator: ";", omittingEmptySubsequences: false).map(Self.trim)
        guard let pair = parts.first, let (name, value) = Self.pair(pair), !name.isEmpty else { return }
        var cookie = Cookie(value: value, isSecure: false)
        var key = Key(host: address.host, path: address.directory, name: name)
        var maxAge: Int64?
        for part in parts.dropFirst() {
            let (name, value) = Self.pair(part) ?? (part, "")
            switch name.lowercased() {
            case "path" where value.hasPrefix("/"): key.path = value
            case "secure": cookie.isSecure = true
            case "max-age": maxAge = Int64(value)
            case "expires": cookie.expiresAt = Self.date(value)
            default: break
            }
        }
        // Longer than a run lasts is as good as for ever, and cannot overflow.
        if let maxAge { cookie.expiresAt = now + .seconds(min(max(maxAge, 0), 1_000_000)) }
        if let expiresAt = cookie.expiresAt, expiresAt <= now {
            cookies[key] = nil
        } else if cookies[key] != nil || cookies.count < Self.limit {
            cookies[key] = cookie
        }
    }

    /// By name; of two with one name the one with the longer path.
    package func cookies(for address: Address, at now: Instant) -> [String: String] {
        var found: [String: (value: String, depth: Int)] = [:]
        for (key, cookie) in cookies where key.host == address.host && Self.path(key.path, covers: address.path) {
            if cookie.isSecure, !address.mayCarrySecure { continue }
            if let expiresAt = cookie.expiresAt, expiresAt <= now { continue }
            if let known = found[key.name], known.depth > key.path.count { continue }
            found[key.name] = (cookie.value, key.path.count)
        }
        return found.mapValues(\.value)
    }

    /// The `Cookie` header's value; nil without cookies.
    package func header(for address: Address, at now: Instant) -> String? {
        let found = cookies(for: address, at: now)
        guard !found.isEmpty else { return nil }
        return found.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
    }

    private static func path(_ path: String, covers other: String) -> Bool {
        if path == other { return true }
        guard other.hasPrefix(path) else { return false }
        return path.hasSuffix("/") || other.dropFirst(path.count).hasPrefix("/")
    }

    private static func trim(_ text: some StringProtocol) -> String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        return String(String(text.drop(while: isSpace)).reversed().drop(while: isSpace).reversed())
    }

    private static func pair(_ text: String) -> (name: String, value: String)? {
        guard let equals = text.firstIndex(of: "=") else { return nil }
        return (trim(text[..<equals]), trim(text[text.index(after: equals)...]))
    }

    /// `Thu, 01 Jan 1970 00:00:00 GMT`, with hyphens or spaces.
    private static func date(_ text: String) -> Instant? {
        let words = text.split { $0 == " " || $0 == "-" || $0 == "," }
        let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        guard words.count >= 5, let month = months.firstIndex(of: words[2].lowercased()), words[3].count == 4 else {
            return nil
        }
        func two(_ text: some StringProtocol) -> String { text.count == 1 ? "0\(text)" : String(text) }
        return RFC3339.parse("\(words[3])-\(two(String(month + 1)))-\(two(words[1]))T\(words[4])Z")
    }
}
