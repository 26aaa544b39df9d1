/// Collects what is wrong while files are read, so that one look at the list is enough.
final class ProblemLog {
    static let limit = 200

    private var found: [ConfigurationProblem] = []
    private var seen: Set<ConfigurationProblem> = []
    /// What must not be shown, with what is shown in its place.
    private var secrets: [(value: String, shown: String)] = []
    /// Folder of each file, by its name in messages: paths in a file are relative to it.
    var folders: [String: String] = [:]
    /// Every key that was looked for: what a file may say, which the reference's test compares with the reference.
    var keys: Set<String> = []
    /// Files that were read.
    var files: [String] = []

    var isEmpty: Bool { found.isEmpty }

    func add(_ place: ConfigurationNode.Place, _ key: String, _ message: String, suggestion: String? = nil) {
        guard found.count < Self.limit else { return }
        let problem = ConfigurationProblem(
            file: place.file, line: place.line, column: place.column, key: key, message: hidden(message),
            suggestion: suggestion)
        if seen.insert(problem).inserted { found.append(problem) }
    }

    /// Sentences that were made elsewhere may quote a value: whatever came from a secret is hidden in them.
    func hide(_ value: String, as shown: String) {
        // Shorter values are no secrets, and hiding them would garble the sentences.
        if value.utf8.count >= 3, !secrets.contains(where: { $0.value == value }) {
            secrets.append((value, shown))
            secrets.sort { $0.value.utf8.count > $1.value.utf8.count }
        }
    }

    private func hidden(_ message: String) -> String {
        secrets.reduce(message) { text, secret in
            text.split(separator: secret.value, omittingEmptySubsequences: false).joined(separator: secret.shown)
        }
    }

    /// In the order of files and lines.
    var errors: ConfigurationErrors {
        ConfigurationErrors(
            found.enumerated().sorted { left, right in
                let (a, b) = (left.element, right.element)
                return (a.file, a.line, a.column, left.offset) < (b.file, b.line, b.column, right.offset)
            }.map(\.element))
    }
}
