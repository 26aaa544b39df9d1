import Foundation

/// A journey as `examples/storefront.yaml` has it: towns are watched by what users copy, not by a copy of it.
struct ExampleJourney {
    private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "examples/storefront.yaml")

    private var lines: [String]

    init(_ name: String) throws {
        let all = try String(contentsOf: Self.file, encoding: .utf8).components(separatedBy: "\n")
        guard let start = all.firstIndex(of: "  \(name):") else { throw Complaint("no journey \(name) in the example") }
        lines = [all[start]] + all[(start + 1)...].prefix { $0.isEmpty || Self.indent($0) > Self.indent(all[start]) }
    }

    var text: String { lines.joined(separator: "\n") }

    /// Gives a key that the journey has once another value; the old one may go on in the lines below it.
    mutating func set(_ key: String, to value: String) throws {
        let places = lines.indices.filter { lines[$0].drop { $0 == " " }.hasPrefix(key + ":") }
        guard let place = places.first, places.count == 1 else {
            throw Complaint("the example's journey has \(places.count) times '\(key)'")
        }
        let indent = Self.indent(lines[place])
        let end = lines[(place + 1)...].firstIndex { Self.indent($0) <= indent } ?? lines.endIndex
        lines[place..<end] = [String(repeating: " ", count: indent) + "\(key): \(value)"]
    }

    private static func indent(_ line: String) -> Int { line.prefix { $0 == " " }.count }
}
