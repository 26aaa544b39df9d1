import Decide
import Foundation
import SQL

/// Values of a kind that several sections have.
extension ConfigurationReader {
    private static let secretLimit = 16 << 10

    /// `password: …` or `password-file: …`; neither is fine.
    func secret(_ section: Section, _ name: String) -> String? {
        let plain = section[name]
        let file = section["\(name)-file"]
        if let plain, let file {
            file.problemAtKey("give either '\(plain.name)' or '\(file.name)', not both")
            return nil
        }
        guard let found = plain?.text() ?? file.flatMap(secretFile) else { return nil }
        log.hide(found, as: "•••")
        return found
    }

    /// The same for one that has to be there.
    func requiredSecret(_ section: Section, _ name: String, _ advice: String) -> String? {
        let isGiven = section[name] != nil || section["\(name)-file"] != nil
        if !isGiven { section.field.problemAtKey("'\(name)' or '\(name)-file' is missing: \(advice)") }
        return secret(section, name)
    }

    private func secretFile(_ field: Field) -> String? {
        guard let name = field.text("the path of a file") else { return nil }
        let path = self.path(name, of: field)
        log.files.append(path)
        switch TextFile.read(path, limit: Self.secretLimit) {
        case .failure(let reason):
            field.problem("'\(field.written)' cannot be read: \(reason.message)")
            return nil
        case .success(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0) else {
                field.problem("'\(field.written)' does not hold text")
                return nil
            }
            let secret = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard !secret.isEmpty else {
                field.problem("'\(field.written)' is empty")
                return nil
            }
            return secret
        }
    }

    /// The path of a file with the certificates of authorities.
    func authorities(_ field: Field) -> String? {
        guard let name = field.text("the path of a file with certificates") else { return nil }
        let path = self.path(name, of: field)
        log.files.append(path)
        switch TextFile.read(path, limit: CertificateText.limit) {
        case .failure(let reason):
            field.problem("'\(field.written)' cannot be read: \(reason.message)")
            return nil
        case .success(let bytes):
            if let problem = CertificateText.problem(bytes) {
                field.problem("'\(field.written)' \(problem)")
                return nil
            }
            return path
        }
    }

    /// Relative to the file that says it.
    func path(_ text: String, of field: Field) -> String {
        guard !text.hasPrefix("/"), let folder = log.folders[field.node.place.file], !folder.isEmpty else {
            return text
        }
        return URL(fileURLWithPath: text, relativeTo: URL(fileURLWithPath: folder, isDirectory: true))
            .standardizedFileURL.path
    }

    /// `postgres://…`, or the absolute path of a SQLite file.
    func location(_ field: Field) -> String? {
        guard var text = field.text("postgres://… or the path of a SQLite file") else { return nil }
        if Self.isPostgres(text) {
            log.hide(text, as: "•••")
            do throws(SQLError) {
                try checkLocation(text) { Spelling.nearest(to: $0, among: $1) }
            } catch {
                field.problem(error.message)
                return nil
            }
            return text
        }
        if text.hasPrefix("sqlite:") { text.removeFirst("sqlite:".count) }
        if text.hasPrefix("//") { text.removeFirst(2) }
        guard !text.contains("://"), !text.isEmpty else {
            field.problem("a database is postgres://… or the path of a SQLite file")
            return nil
        }
        return path(text, of: field)
    }

    static func isPostgres(_ location: String) -> Bool {
        location.hasPrefix("postgres://") || location.hasPrefix("postgresql://")
    }

    /// Without a slash at the end. `isSecret`: what was written is not quoted.
    func httpURL(_ field: Field, isSecret: Bool = false, allowsQuery: Bool = false) -> String? {
        guard let text = field.text("a URL such as https://example.test") else { return nil }
        if isSecret { log.hide(text, as: "•••") }
        let quoted = isSecret ? "this" : "'\(field.written)'"
        guard let parts = URLComponents(string: text), ["http", "https"].contains(parts.scheme?.lowercased() ?? ""),
            let host = parts.host, !host.isEmpty
        else {
            field.problem("\(quoted) is not a URL that begins with http:// or https://")
            return nil
        }
        guard parts.user == nil, parts.password == nil else {
            field.problem("a URL with a user or password in it is not read: messages would show it")
            return nil
        }
        guard parts.fragment == nil, allowsQuery || parts.query == nil else {
            field.problem("\(quoted) has a query or a fragment, which cannot stand here")
            return nil
        }
        return String(text.reversed().drop { $0 == "/" }.reversed())
    }

    func email(_ field: Field) -> String? {
        guard let text = field.text("an e-mail address") else { return nil }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isProper =
            parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 254
            && text.unicodeScalars.allSatisfy {
                $0.value > 0x20 && $0.value != 0x7F && !"<>,;\"()".unicodeScalars.contains($0)
            }
        guard isProper else {
            field.problem("'\(field.written)' is not an e-mail address")
            return nil
        }
        return text
    }

    /// `127.0.0.1:8600`, `[::1]:8600`; the host may be left out where `defaultHost` is given.
    func hostAndPort(_ field: Field, ports: ClosedRange<Int>, defaultHost: String? = nil) -> (host: String, port: Int)?
    {
        guard let text = field.text("a host and a port, such as 127.0.0.1:8600") else { return nil }
        let colon = text.lastIndex(of: ":")
        var host = colon.map { String(text[..<$0]) } ?? ""
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            host = ""
        }
        if host.isEmpty, colon == nil || colon == text.startIndex { host = defaultHost ?? "" }
        let digits = colon.map { text[text.index(after: $0)...] } ?? text[...]
        let isHost =
            !host.isEmpty && host.unicodeScalars.allSatisfy { $0.value > 0x20 && !"/@?#".unicodeScalars.contains($0) }
        guard isHost, let port = Int(digits), ports.contains(port) else {
            field.problem(
                "'\(field.written)' is not a host and a port from \(ports.lowerBound) to \(ports.upperBound), "
                    + "such as 127.0.0.1:8600")
            return nil
        }
        return (host, port)
    }

    func template(_ field: Field) -> Template? {
        guard let text = field.text() else { return nil }
        do throws(DefinitionError) {
            return try Template(parsing: text)
        } catch {
            field.problem(error.message)
            return nil
        }
    }
}
