import Foundation

/// One file as the rules see it.
struct SourceFile: Sendable {
    /// From the repository's root: `Sources/Decide/Flags/Flag.swift`.
    let path: String
    /// As written.
    let lines: [String]
    /// The same lines without comments and without what stands in strings; for Swift only.
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        code =
            path.hasSuffix(".swift")
            ? SwiftText.blanked(text).split(separator: "\n", omittingEmptySubsequences: false).map(String.init) : lines
    }

    var folders: [String] { path.split(separator: "/").dropLast().map(String.init) }
    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    /// `Decide` of `Sources/Decide/Flags/Flag.swift`; nil outside Sources.
    var module: String? { folders.first == "Sources" && folders.count > 1 ? folders[1] : nil }
    /// `Flags` of `Sources/Decide/Flags/Flag.swift`; nil for files beside the folders.
    var capability: String? { module != nil && folders.count > 2 ? folders[2] : nil }

    /// Every line of code that the expression matches.
    func violations(_ pattern: String, _ message: String, in lines: [String]? = nil) throws -> [Violation] {
        let expression = try NSRegularExpression(pattern: pattern)
        return (lines ?? code).enumerated().compactMap { index, line in
            let whole = NSRange(line.startIndex..., in: line)
            guard expression.firstMatch(in: line, range: whole) != nil else { return nil }
            return Violation(file: path, line: index + 1, message: message)
        }
    }
}

struct Violation: Hashable, Sendable, CustomStringConvertible {
    var file: String
    /// From 1.
    var line: Int
    var message: String

    var description: String { "\(file):\(line): \(message)" }
}
