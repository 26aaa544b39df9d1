import ArgumentParser
import Foundation

/// Reads secrets where no list of processes shows them.
enum Secret {
    /// The first line of `file`, or else the environment's `variable`; nil when there is neither. An empty secret is
    /// a mistake, and is refused.
    static func read(file: String?, variable: String, environment: [String: String]) throws -> String? {
        guard let file else { return environment[variable].flatMap { $0.isEmpty ? nil : $0 } }
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw ValidationError("The file \(file) cannot be read.")
        }
        let secret = text.prefix { !$0.isNewline }.trimmingCharacters(in: .whitespaces)
        guard !secret.isEmpty else { throw ValidationError("The first line of \(file) is empty.") }
        return secret
    }
}
