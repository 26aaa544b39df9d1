/// A plain `SET name = value`, `SET name TO DEFAULT` or `RESET name`, which a proxy can repeat in another session.
package struct QuerySetting: Hashable, Sendable {
    /// In lower case, since PostgreSQL ignores the case of settings' names; with a dot in it for an extension's.
    package var name: String
    /// One value or a list; none for the default.
    package var values: [String]

    package init(name: String, values: [String]) {
        self.name = name
        self.values = values
    }

    package var isDefault: Bool { values.isEmpty }

    /// The command that brings it about, with all in quotes that can be.
    package var statement: String {
        let name = name.split(separator: ".", omittingEmptySubsequences: false)
            .map { Self.quoted($0, by: "\"") }.joined(separator: ".")
        guard !isDefault else { return "SET \(name) TO DEFAULT" }
        return "SET \(name) TO \(values.map { Self.quoted($0[...], by: "'") }.joined(separator: ", "))"
    }

    private static func quoted(_ text: Substring, by quote: String) -> String {
        quote + text.split(separator: quote, omittingEmptySubsequences: false).joined(separator: quote + quote) + quote
    }
}
