import Decide

/// A postmortem before it is dressed as Markdown or as a page: sections of plain blocks.
package struct PostmortemDocument: Hashable, Sendable {
    package enum Inline: Hashable, Sendable {
        case text(String)
        case strong(String)
        case code(String)
        /// To a page of Mainstay's own: an absolute path.
        case link(String, path: String)
        case time(Instant)
    }

    /// Inlines written as an interpolated string: plain values become text.
    package struct Prose: Hashable, Sendable, ExpressibleByStringInterpolation {
        package var inlines: [Inline]

        package init(stringLiteral value: String) { inlines = [.text(value)] }
        package init(stringInterpolation: StringInterpolation) { inlines = stringInterpolation.inlines }

        package struct StringInterpolation: StringInterpolationProtocol {
            var inlines: [Inline] = []

            package init(literalCapacity: Int, interpolationCount: Int) {}

            package mutating func appendLiteral(_ literal: String) {
                if !literal.isEmpty { inlines.append(.text(literal)) }
            }
            package mutating func appendInterpolation(_ text: String) { inlines.append(.text(text)) }
            package mutating func appendInterpolation(_ number: Int) { inlines.append(.text(String(number))) }
            package mutating func appendInterpolation(_ instant: Instant) { inlines.append(.time(instant)) }
            package mutating func appendInterpolation(strong text: String) { inlines.append(.strong(text)) }
            package mutating func appendInterpolation(code text: String) { inlines.append(.code(text)) }
            package mutating func appendInterpolation(link text: String, _ path: String) {
                inlines.append(.link(text, path: path))
            }
            package mutating func appendInterpolation(_ prose: Prose) { inlines += prose.inlines }
        }
    }

    package enum Block: Hashable, Sendable {
        case paragraph(Prose)
        case list([Prose])
        /// Open items to be ticked off.
        case tasks([Prose])
        case table(head: [String], rows: [[Prose]])
    }

    package struct Section: Hashable, Sendable {
        package var title: String
        package var blocks: [Block]
    }

    package var title: String
    package var sections: [Section]
}

extension PostmortemDocument {
    /// - Parameter base: what stands before every link's path: `https://mainstay.example`, without a slash at its end.
    package func markdown(base: String) -> String {
        var text = "# \(Markdown.escape(title))\n"
        for section in sections {
            text += "\n## \(Markdown.escape(section.title))\n"
            for block in section.blocks { text += "\n" + Self.markdown(block, base) }
        }
        return text
    }

    private static func markdown(_ block: Block, _ base: String) -> String {
        switch block {
        case .paragraph(let prose):
            return protectStart(markdown(prose, base)) + "\n"
        case .list(let items):
            return items.map { "- \(protectStart(markdown($0, base)))\n" }.joined()
        case .tasks(let items):
            return items.map { "- [ ] \(markdown($0, base))\n" }.joined()
        case .table(let head, let rows):
            func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
            return row(head.map(Markdown.escape)) + row(head.map { _ in "---" })
                + rows.map { row($0.map { markdown($0, base) }) }.joined()
        }
    }

    private static func markdown(_ prose: Prose, _ base: String) -> String {
        prose.inlines.map { inline in
            switch inline {
            case .text(let text): Markdown.escape(text)
            case .strong(let text): "**\(Markdown.escape(text))**"
            case .code(let text): Markdown.code(text)
            case .link(let text, let path): "[\(Markdown.escape(text))](\(Markdown.target(base + path)))"
            case .time(let instant): RFC3339.format(instant)
            }
        }.joined()
    }

    /// A line that begins like a list or a number would become one.
    private static func protectStart(_ line: String) -> String {
        guard let first = line.first else { return line }
        if first == "-" || first == "+" || first == "=" || first == "#" { return "\\" + line }
        let digits = line.prefix { $0.isNumber }
        let next = line.dropFirst(digits.count).first
        guard !digits.isEmpty, next == "." || next == ")" else { return line }
        return digits + "\\" + line.dropFirst(digits.count)
    }
}
