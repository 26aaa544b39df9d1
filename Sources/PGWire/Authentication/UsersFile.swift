/// Users and their secrets, in PgBouncer's format: `"name" "secret"` a line.
///
/// In quotes `""` stands for one quote. What follows the secret in further quotes is ignored, as PgBouncer does; lines
/// that are empty or begin with `;` or `#` are comments. Unlike there, a line that cannot be read is an error, and so
/// is a user named twice: half a users file would lock people out in silence.
package struct UsersFile: Equatable, Sendable {
    package struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
        /// From 1; 0 for the whole file.
        package var line: Int
        /// Without anything from the file but a user's name: secrets are on the same line.
        package var message: String

        package var description: String { line > 0 ? "line \(line): \(message)" : message }
    }

    package static let sizeLimit = 16 << 20
    package static let userLimit = 100_000
    /// PostgreSQL's names have at most 63 bytes; providers' proxies add to them.
    package static let nameLimit = 128

    /// By the name's bytes. To Swift the two ways to write "é" are one string; to PostgreSQL they are two roles, and
    /// one must not come in by the other's secret. Nil for a user whose secret is empty.
    private var secrets: [[UInt8]: StoredSecret?] = [:]

    package var count: Int { secrets.count }

    /// A user with an empty secret is in the file, but never let in by a password.
    package func contains(_ user: String) -> Bool {
        secrets.index(forKey: Array(user.utf8)) != nil
    }

    package func secret(of user: String) -> StoredSecret? {
        secrets[Array(user.utf8)] ?? nil
    }

    /// Derives what SCRAM needs of every password in the file, about a millisecond each (see `StoredSecret`).
    package mutating func prepare(mock: MockSecret) throws(WireError) {
        for (name, secret) in secrets {
            guard let secret else { continue }
            secrets[name] = try secret.prepared(for: String(decoding: name, as: UTF8.self), mock: mock)
        }
    }

    /// No users.
    package init() {}

    package static func parse(_ text: String) throws(Problem) -> UsersFile {
        guard text.utf8.count <= sizeLimit else {
            throw Problem(line: 0, message: "larger than \(sizeLimit) bytes")
        }
        var file = UsersFile()
        var number = 0
        // By bytes: `\r\n` is one Character, and would hide a line's end.
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            var reader = LineReader(rest: Array(line)[...], line: number)
            try file.add(&reader)
        }
        return file
    }

    private mutating func add(_ reader: inout LineReader) throws(Problem) {
        reader.skipSpace()
        if reader.isAtEndOrComment { return }
        let name = try reader.quoted("user name")
        let secret = try reader.quoted("secret")
        try reader.finish()
        guard !name.isEmpty, name.utf8.count <= Self.nameLimit else {
            throw reader.problem("a user name has 1 to \(Self.nameLimit) bytes")
        }
        guard secret.utf8.count <= StoredSecret.lengthLimit else {
            throw reader.problem("the secret of \"\(name)\" has more than \(StoredSecret.lengthLimit) bytes")
        }
        guard !contains(name) else { throw reader.problem("user \"\(name)\" is named twice") }
        guard secrets.count < Self.userLimit else { throw reader.problem("more than \(Self.userLimit) users") }
        let stored = StoredSecret(text: secret)
        guard stored != nil || secret.isEmpty else {
            throw reader.problem("the secret of \"\(name)\" is no SCRAM verifier, though it begins as one")
        }
        secrets.updateValue(stored, forKey: Array(name.utf8))
    }
}

private struct LineReader {
    var rest: ArraySlice<UInt8>
    var line: Int

    private static let quote = UInt8(ascii: "\"")

    var isAtEndOrComment: Bool {
        rest.first.map { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: "#") } ?? true
    }

    mutating func skipSpace() {
        rest = rest.drop { $0 == 32 || (9...13).contains($0) }
    }

    /// Reads the next quoted text.
    mutating func quoted(_ what: String) throws(UsersFile.Problem) -> String {
        skipSpace()
        guard rest.first == Self.quote else { throw problem("expected \(what) in double quotes") }
        rest = rest.dropFirst()
        var bytes: [UInt8] = []
        while let end = rest.firstIndex(of: Self.quote) {
            bytes += rest[..<end]
            rest = rest[(end + 1)...]
            guard rest.first == Self.quote else {
                guard !bytes.contains(0) else { throw problem("\(what) with a zero byte") }
                // Cut at quotes, UTF-8 stays UTF-8.
                return String(decoding: bytes, as: UTF8.self)
            }
            bytes.append(Self.quote)
            rest = rest.dropFirst()
        }
        throw problem("\(what) without its closing quote")
    }

    /// Passes over what may follow a secret.
    mutating func finish() throws(UsersFile.Problem) {
        skipSpace()
        while !isAtEndOrComment {
            _ = try quoted("further text")
            skipSpace()
        }
    }

    func problem(_ message: String) -> UsersFile.Problem {
        UsersFile.Problem(line: line, message: message)
    }
}
