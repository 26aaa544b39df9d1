import Decide
import Yams

/// One mapping of a drill's file: typed access, and a complaint about what nobody asked for.
struct DrillReader {
    private let file: String
    private let path: String
    private let line: Int
    private var open: [String: Node]
    private let known: [String: Node]

    init(_ node: Node, file: String, path: String) throws {
        self.file = file
        self.path = path
        line = node.mark?.line ?? 1
        guard let mapping = node.mapping else {
            throw DrillPlanError(description: "\(file):\(line): \(path.isEmpty ? "the file" : path) must be a mapping.")
        }
        var values: [String: Node] = [:]
        for (key, value) in mapping {
            guard let name = key.string else { continue }
            values[name] = value
        }
        known = values
        open = values
    }

    func finish() throws {
        guard let (key, node) = open.min(by: { ($0.value.mark?.line ?? 0) < ($1.value.mark?.line ?? 0) }) else {
            return
        }
        throw DrillPlanError(description: "\(file):\(node.mark?.line ?? line): unknown key '\(path)\(key)'.")
    }

    private func fault(_ key: String, _ message: String) -> DrillPlanError {
        DrillPlanError(description: "\(file):\(known[key]?.mark?.line ?? line): \(path)\(key): \(message).")
    }

    private mutating func take(_ key: String) -> Node? { open.removeValue(forKey: key) }

    mutating func optionalText(_ key: String) throws -> String? {
        guard let node = take(key) else { return nil }
        guard let text = node.scalar?.string else { throw fault(key, "must be text") }
        return text
    }

    mutating func text(_ key: String, default fallback: String? = nil) throws -> String {
        if let text = try optionalText(key) { return text }
        guard let fallback else { throw fault(key, "is missing") }
        return fallback
    }

    mutating func bool(_ key: String, default fallback: Bool) throws -> Bool {
        switch try optionalText(key) {
        case nil: return fallback
        case "true", "on", "yes": return true
        case "false", "off", "no": return false
        case let other?: throw fault(key, "'\(other)' is neither on nor off")
        }
    }

    mutating func integer(_ key: String, _ range: ClosedRange<Int>, default fallback: Int) throws -> Int {
        guard let text = try optionalText(key) else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw fault(key, "'\(text)' is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    mutating func optionalSpan(_ key: String) throws -> Span? {
        guard let text = try optionalText(key) else { return nil }
        guard let span = Span(parsing: text) else { throw fault(key, "'\(text)' is not a time like 5s or 1m30s") }
        return span
    }

    mutating func span(_ key: String, default fallback: Span) throws -> Span {
        try optionalSpan(key) ?? fallback
    }

    /// `36%` in basis points.
    mutating func share(_ key: String, default fallback: Int) throws -> Int {
        guard let text = try optionalText(key) else { return fallback }
        guard text.hasSuffix("%"), let value = Double(text.dropLast()), (0...100).contains(value) else {
            throw fault(key, "'\(text)' is not a share like 36%")
        }
        return Int((value * 100).rounded())
    }

    mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ key: String, default fallback: Value
    ) throws -> Value where Value.RawValue == String {
        guard let text = try optionalText(key) else { return fallback }
        guard let value = Value(rawValue: text) else {
            throw fault(key, "'\(text)' is none of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return value
    }

    mutating func optional<Value>(_ key: String, _ read: (inout DrillReader) throws -> Value) throws -> Value? {
        open[key] == nil ? nil : try read(&self)
    }

    mutating func optionalSection<Value>(
        _ key: String, read: (inout DrillReader) throws -> Value
    ) throws -> Value? {
        guard let node = take(key) else { return nil }
        var reader = try DrillReader(node, file: file, path: "\(path)\(key).")
        let value = try read(&reader)
        try reader.finish()
        return value
    }

    mutating func section<Value>(_ key: String, read: (inout DrillReader) throws -> Value) throws -> Value {
        guard let value = try optionalSection(key, read: read) else { throw fault(key, "is missing") }
        return value
    }

    mutating func list<Value>(_ key: String, read: (inout DrillReader) throws -> Value) throws -> [Value] {
        guard let node = take(key) else { throw fault(key, "is missing") }
        guard let items = node.sequence else { throw fault(key, "must be a list") }
        return try items.enumerated().map { index, item in
            var reader = try DrillReader(item, file: file, path: "\(path)\(key)[\(index)].")
            let value = try read(&reader)
            try reader.finish()
            return value
        }
    }
}
