import Foundation

/// A directory of a test's own. It goes with the value that holds it, whether the test passes or throws; a test that
/// passes a path on has to hold the value until the end (see `withTemporaryDirectory`).
package final class TemporaryDirectory: Sendable {
    package let path: String

    /// - Parameter name: what it is for, as a part of its name.
    package init(_ name: String = "test") throws {
        path =
            FileManager.default.temporaryDirectory
            .appending(path: "mainstay-\(name)-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// Returns the file's path.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        let file = path + "/" + name
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }

    /// Earlier than by itself, for whom it matters that it works.
    package func remove() throws { try FileManager.default.removeItem(atPath: path) }

    deinit {
        // Nobody can be told from here, and `remove` may have been first.
        try? remove()
    }
}

/// Gives `body` a directory and removes it.
package func withTemporaryDirectory<Value>(
    _ name: String = "test", _ body: (String) async throws -> Value
) async throws -> Value {
    let directory = try TemporaryDirectory(name)
    let value = try await body(directory.path)
    try directory.remove()
    return value
}
