/// One thing that is wrong in a configuration file, and where.
package struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    /// As it was given to the loader.
    package var file: String
    /// Both count from 1.
    package var line: Int
    package var column: Int
    /// `services.storefront.features.favorites.proof`; empty when the whole file is meant.
    package var key: String
    /// What is wrong and what to do. Never holds a secret.
    package var message: String
    /// The nearest name that would be right.
    package var suggestion: String?

    package init(
        file: String, line: Int, column: Int, key: String, message: String, suggestion: String? = nil
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.key = key
        self.message = message
        self.suggestion = suggestion
    }

    /// `mainstay.yaml:12:7: services.storefront.team: there is no team 'shpo'; did you mean 'shop'?`
    package var description: String {
        let place = "\(file):\(line):\(column): " + (key.isEmpty ? "" : "\(key): ")
        return place + message + (suggestion.map { "; did you mean '\($0)'?" } ?? "")
    }
}

/// All that is wrong, in the order of the files; never empty.
package struct ConfigurationErrors: Error, Hashable, Sendable, CustomStringConvertible {
    package var problems: [ConfigurationProblem]

    package init(_ problems: [ConfigurationProblem]) {
        self.problems = problems
    }

    /// One line each.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
