import Decide

/// A mapping with known keys. Whatever nobody asked for by the time of `finish()` is an unknown key, so the keys that
/// are read are the keys that there are.
final class Section {
    let field: Field
    private var members: [ConfigurationNode.Member] = []
    private var asked: [String] = []

    /// Nothing counts as a mapping without keys; anything else that is no mapping is told to the log.
    init(_ field: Field, _ what: String) {
        self.field = field
        switch field.node.value {
        case .map(let members): self.members = members
        case .scalar where field.node.isNull: break
        case .scalar, .list: field.problem("\(what) is expected here, not \(field.node.kind)")
        }
    }

    var key: String { field.key }
    var log: ProblemLog { field.log }
    /// Also nil where the key stands without a value.
    var isEmpty: Bool { members.isEmpty }

    subscript(_ name: String) -> Field? {
        if !asked.contains(name) { asked.append(name) }
        log.keys.insert(name)
        guard let member = members.first(where: { $0.key == name }) else { return nil }
        let path = key.isEmpty ? name : "\(key).\(name)"
        return Field(key: path, name: name, node: member.value, keyPlace: member.place, log: log)
    }

    /// Tells the log when the key is missing.
    func required(_ name: String, _ advice: String) -> Field? {
        if let field = self[name] { return field }
        if !isMisspelt([name]) { field.problemAtKey("'\(name)' is missing: \(advice)") }
        return nil
    }

    /// Which of the keys is there; tells the log when it is not exactly one.
    func oneOf(_ names: [String], _ what: String) -> Field? {
        let found = names.compactMap { self[$0] }
        if found.count == 1 { return found[0] }
        let list = names.joined(separator: ", ")
        if found.isEmpty, !isMisspelt(names) {
            field.problemAtKey("\(what) is missing: give one of \(list)")
        }
        if found.count > 1 {
            found[1].problemAtKey("only one of \(list) can be given; '\(found[0].name)' is there already")
        }
        return nil
    }

    /// A misspelt key is told as such; that something is missing then is no second problem.
    private func isMisspelt(_ names: [String]) -> Bool {
        members.contains { Spelling.nearest(to: $0.key, among: names) != nil && !asked.contains($0.key) }
    }

    func finish() {
        for member in members where !asked.contains(member.key) {
            let path = key.isEmpty ? member.key : "\(key).\(member.key)"
            let nearest = Spelling.nearest(to: member.key, among: asked)
            let known = nearest == nil ? " (known are \(asked.sorted().joined(separator: ", ")))" : ""
            log.add(member.place, path, "unknown key '\(member.key)'\(known)", suggestion: nearest)
        }
    }
}
