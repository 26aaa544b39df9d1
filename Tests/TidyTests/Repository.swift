import Foundation

/// The files of this repository, as they lie on disk.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// What is built, fetched or made by running: see `.gitignore`.
    private static let leftOut: Set<String> = [
        ".build", ".git", ".swiftpm", "var", "__pycache__", "Package.resolved", "node_modules", ".hypothesis",
    ]
    private static let sizeLimit = 2 << 20

    /// All text files, in the order of their paths; read once for all rules.
    static let files: Result<[SourceFile], any Error> = Result { try allPaths.get().compactMap(read) }
    /// Of all files, pictures too.
    static let allPaths: Result<[String], any Error> = Result { try paths(in: "") }

    /// Swift files below a folder.
    static func swift(_ folder: String) throws -> [SourceFile] {
        try files.get().filter { $0.path.hasPrefix(folder + "/") && $0.path.hasSuffix(".swift") }
    }

    static func read(_ path: String) throws -> SourceFile? {
        let data = try Data(contentsOf: root.appending(path: path))
        // Pictures are not text, and nothing that is written by hand is that large.
        guard data.count <= sizeLimit, let text = String(data: data, encoding: .utf8) else { return nil }
        return SourceFile(path: path, text: text)
    }

    private static func paths(in folder: String) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)
        return try names.sorted().filter { !leftOut.contains($0) }.flatMap { name -> [String] in
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(
                atPath: root.appending(path: path).path, isDirectory: &isFolder)
            guard exists else { return [] }
            return isFolder.boolValue ? try paths(in: path) : [path]
        }
    }
}
