import Decide
import Foundation

/// Reads what is to be reviewed: files of SQL, exports (one JSON object a line), and folders of both.
enum ReviewInputs {
    static let fileByteLimit = 64 << 20
    static let exportEndings: Set<String> = ["jsonl", "ndjson"]

    /// - Parameters:
    ///   - paths: files and folders; `-` is standard input.
    ///   - questionMarks: whether `?` is a parameter.
    /// - Throws: `ReviewInputError`.
    static func read(_ paths: [String], questionMarks: Bool) throws(ReviewInputError) -> [ReviewStatement] {
        var statements: [ReviewStatement] = []
        for path in paths {
            for file in try files(path) {
                let source = try source(file)
                statements +=
                    try isExport(file, source)
                    ? ExportedQueries.read(source) : StatementSplitter.split(source, questionMarks: questionMarks)
            }
        }
        return statements
    }

    static func source(_ file: String) throws(ReviewInputError) -> SourceText {
        let data: Data
        do {
            let handle =
                file == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            data = try handle.read(upToCount: fileByteLimit + 1) ?? Data()
        } catch {
            throw ReviewInputError(start(file), "cannot be read")
        }
        guard data.count <= fileByteLimit else {
            throw ReviewInputError(start(file), "larger than \(fileByteLimit >> 20) MiB")
        }
        guard String(validating: data, as: UTF8.self) != nil else {
            throw ReviewInputError(start(file), "not UTF-8")
        }
        return SourceText(file: file, bytes: Array(data))
    }

    /// A folder stands for its files, by name: migrations are numbered.
    private static func files(_ path: String) throws(ReviewInputError) -> [String] {
        var isFolder: ObjCBool = false
        guard path != "-" else { return [path] }
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw ReviewInputError(start(path), "there is no such file")
        }
        guard isFolder.boolValue else { return [path] }
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
            let base = path.hasSuffix("/") ? path : path + "/"
            return names.filter { $0.hasSuffix(".sql") || exportEndings.contains(ending($0)) }.map { base + $0 }
        } catch {
            throw ReviewInputError(start(path), "the folder cannot be read")
        }
    }

    private static func isExport(_ file: String, _ source: SourceText) -> Bool {
        if file != "-" { return exportEndings.contains(ending(file)) }
        return source.bytes.first { $0 > 0x20 } == UInt8(ascii: "{")
    }

    private static func ending(_ name: String) -> String { URL(fileURLWithPath: name).pathExtension.lowercased() }

    private static func start(_ file: String) -> SourcePlace { SourcePlace(file: file, line: 1, column: 1) }
}
