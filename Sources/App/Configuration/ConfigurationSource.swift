import Decide
import Yams

/// One file as it was read.
struct ConfigurationSource {
    static let byteLimit = 1 << 20
    static let nodeLimit = 50_000
    static let depthLimit = 40

    /// As it is named in messages.
    var name: String
    /// Paths in it are relative to this.
    var folder: String
    var bytes: [UInt8]

    /// The file's mapping; nil when it is empty or cannot be read, which is told to the log.
    func parse(environment: [String: String], log: ProblemLog) -> ConfigurationNode? {
        log.folders[name] = folder
        let start = place(1, 1)
        guard bytes.count <= Self.byteLimit else {
            log.add(start, "", "the file is larger than \(Self.byteLimit >> 20) MiB")
            return nil
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            log.add(start, "", "the file is not UTF-8 text")
            return nil
        }
        if let finding = AliasGuard.check(bytes) {
            log.add(place(finding.line, finding.column), "", finding.message)
            return nil
        }
        // Yams keeps a pointer into the text, which it can only do for texts that are not tiny.
        if text.utf8.count < 64 { text += "\n" + String(repeating: "#", count: 64) + "\n" }
        do {
            guard let root = try compose(yaml: text, .default, .default, .utf8) else { return nil }
            var builder = NodeBuilder(file: name, environment: environment, log: log)
            guard let node = builder.node(root, key: "", depth: 0) else { return nil }
            return node
        } catch let error as YamlError {
            explain(error, log)
        } catch {
            log.add(start, "", "the file cannot be read as YAML")
        }
        return nil
    }

    /// Never the parser's own description: it quotes the file.
    private func explain(_ error: YamlError, _ log: ProblemLog) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let during = context.map { " (\($0.text), line \($0.mark.line))" } ?? ""
            log.add(place(mark.line, mark.column), "", "this is not YAML: \(problem)\(during)\(hint(mark))")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.sorted().map { "'\($0)'" }.joined(separator: ", ")
            let message = "\(names) is written more than once in one mapping: keep one of them"
            log.add(place(context.mark.line, context.mark.column), "", message)
        case .reader(let problem, _, _, _):
            log.add(place(1, 1), "", "this is not YAML: \(problem)")
        default:
            log.add(place(1, 1), "", "the file cannot be read as YAML")
        }
    }

    private func hint(_ mark: Mark) -> String {
        let lines = bytes.split(separator: 10, maxSplits: mark.line, omittingEmptySubsequences: false)
        guard lines.indices.contains(mark.line - 1) else { return "" }
        let indent = lines[mark.line - 1].prefix { $0 == 32 || $0 == 9 }
        return indent.contains(9) ? "; indent with spaces, not with tabs" : ""
    }

    private func place(_ line: Int, _ column: Int) -> ConfigurationNode.Place {
        ConfigurationNode.Place(file: name, line: max(1, line), column: max(1, column))
    }
}

/// Turns the parser's nodes into Mainstay's: keys as text, variables filled in, aliases counted as often as they are
/// used, so that what they grow to is bounded.
private struct NodeBuilder {
    let file: String
    let environment: [String: String]
    let log: ProblemLog
    private var count = 0

    init(file: String, environment: [String: String], log: ProblemLog) {
        self.file = file
        self.environment = environment
        self.log = log
    }

    /// Nil when the whole file is given up.
    mutating func node(_ node: Node, key: String, depth: Int) -> ConfigurationNode? {
        count += 1
        let place = place(of: node)
        guard count <= ConfigurationSource.nodeLimit else {
            log.add(
                place, key, "the file has more than \(ConfigurationSource.nodeLimit) values, aliases counted in full")
            return nil
        }
        guard depth <= ConfigurationSource.depthLimit else {
            log.add(place, key, "values are nested more than \(ConfigurationSource.depthLimit) deep")
            return nil
        }
        switch node {
        case .scalar(let scalar):
            return ConfigurationNode(value: .scalar(filled(scalar, key: key, at: place)), place: place)
        case .sequence(let items):
            var list: [ConfigurationNode] = []
            for (index, item) in items.enumerated() {
                guard let item = self.node(item, key: "\(key)[\(index)]", depth: depth + 1) else { return nil }
                list.append(item)
            }
            return ConfigurationNode(value: .list(list), place: place)
        case .mapping(let mapping):
            guard let members = members(mapping, key: key, depth: depth) else { return nil }
            return ConfigurationNode(value: .map(members), place: place)
        case .alias:
            log.add(place, key, "this alias cannot be read: write the value out")
            return nil
        }
    }

    private mutating func members(
        _ mapping: Node.Mapping, key: String, depth: Int
    ) -> [ConfigurationNode.Member]? {
        var own: [ConfigurationNode.Member] = []
        var merged: [ConfigurationNode.Member] = []
        for (name, value) in mapping {
            guard case .scalar(let scalar) = name else {
                log.add(place(of: name), key, "a key must be text; put values that begin with '{{' into quotes")
                return nil
            }
            let path = key.isEmpty ? scalar.string : "\(key).\(scalar.string)"
            guard let value = node(value, key: path, depth: depth + 1) else { return nil }
            if scalar.string == "<<", scalar.style == .plain {
                merged += merge(value, key: path)
            } else if own.contains(where: { $0.key == scalar.string }) {
                log.add(place(of: name), path, "'\(scalar.string)' is written more than once: keep one of them")
            } else {
                own.append(ConfigurationNode.Member(key: scalar.string, place: place(of: name), value: value))
            }
        }
        for member in merged where !own.contains(where: { $0.key == member.key }) { own.append(member) }
        return own
    }

    private func merge(_ value: ConfigurationNode, key: String) -> [ConfigurationNode.Member] {
        switch value.value {
        case .map(let members): return members
        case .list(let items): return items.flatMap { merge($0, key: key) }
        case .scalar:
            log.add(value.place, key, "'<<' takes a mapping")
            return []
        }
    }

    private func filled(
        _ scalar: Node.Scalar, key: String, at place: ConfigurationNode.Place
    ) -> ConfigurationNode.Scalar {
        var substitution = Substitution(environment: environment)
        let isPlain = scalar.style == .plain || scalar.style == .any
        do throws(Substitution.Fault) {
            let text = try substitution.fill(scalar.string)
            for (name, value) in substitution.used { log.hide(value, as: "${\(name)}") }
            return ConfigurationNode.Scalar(written: scalar.string, text: text, isPlain: isPlain)
        } catch {
            switch error {
            case .missing(let name):
                log.add(
                    place, key,
                    "the environment variable \(name) is not set, or is empty; set it, or give a fallback: ${\(name):-…}"
                )
            case .malformed(let message): log.add(place, key, message)
            }
            return ConfigurationNode.Scalar(written: scalar.string, text: "", isPlain: false, isUnknown: true)
        }
    }

    private func place(of node: Node) -> ConfigurationNode.Place {
        ConfigurationNode.Place(file: file, line: max(1, node.mark?.line ?? 1), column: max(1, node.mark?.column ?? 1))
    }
}
