import Mustache

/// What a template is filled with.
///
/// A name that is given as nil is known to be absent: its sections stay empty. Without that, the template engine would
/// look for the same name further out, and show an incident the time of another.
struct Fields: MustacheParent, ExpressibleByDictionaryLiteral {
    private var values: [String: Any]
    /// Answers names that nobody set with a mark, so that tests find misspelt ones.
    private var isRoot = false

    init(dictionaryLiteral elements: (String, Any?)...) {
        values = Dictionary(elements.map { ($0, $1 ?? Absent()) }, uniquingKeysWith: { $1 })
    }

    func child(named name: String) -> Any? {
        if let value = values[name] { return value }
        #if DEBUG
            return isRoot ? "⟦\(name)⟧" : nil
        #else
            return isRoot ? Absent() : nil
        #endif
    }

    var root: Fields {
        var root = self
        root.isRoot = true
        return root
    }

    func adding(_ more: Fields) -> Fields {
        var sum = self
        sum.values.merge(more.values) { $1 }
        return sum
    }
}

private struct Absent: MustacheCustomRenderable {
    var renderText: String { "" }
    var isNull: Bool { true }
}
