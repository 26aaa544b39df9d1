/// Just enough of Swift's grammar to tell code from comments and strings. Works on bytes: whole modules are read.
///
/// Known not to be told apart: regular expression literals, which the sources do not use.
struct SwiftText {
    private let bytes: [UInt8]
    private var output: [UInt8] = []
    private var index = 0

    /// Stands for each character inside a string.
    static let mark: Character = "\u{1}"

    /// The text with comments replaced by spaces and the contents of strings by marks, line by line.
    static func blanked(_ text: String) -> String {
        var scanner = SwiftText(bytes: Array(text.utf8))
        scanner.scanCode(untilParenthesis: false)
        return String(decoding: scanner.output, as: UTF8.self)
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
        output.reserveCapacity(bytes.count)
    }

    private func byte(_ position: Int) -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private func isNext(_ first: UInt8, _ second: UInt8) -> Bool {
        byte(index) == first && byte(index + 1) == second
    }

    private func count(of wanted: UInt8, from start: Int, atMost limit: Int = .max) -> Int {
        var count = 0
        while count < limit, byte(start + count) == wanted { count += 1 }
        return count
    }

    private mutating func keep(_ count: Int = 1) {
        output += bytes[index..<min(index + count, bytes.count)]
        index += count
    }

    private mutating func blank(_ count: Int = 1, with filler: UInt8 = .space) {
        for byte in bytes[min(index, bytes.count)..<min(index + count, bytes.count)] where !byte.isContinuation {
            output.append(byte == .newline ? .newline : filler)
        }
        index += count
    }

    /// - Parameter untilParenthesis: inside an interpolation: ends behind the parenthesis that closes it.
    private mutating func scanCode(untilParenthesis: Bool) {
        var depth = 0
        while let next = byte(index) {
            if isNext(.slash, .slash) {
                while let next = byte(index), next != .newline { blank() }
            } else if isNext(.slash, .star) {
                scanBlockComment()
            } else if let (quotes, hashes) = stringStart() {
                scanString(quotes: quotes, hashes: hashes)
            } else {
                if next == .open { depth += 1 }
                if next == .close { depth -= 1 }
                if untilParenthesis { blank(with: .filler) } else { keep() }
                if untilParenthesis, depth == 0 { return }
            }
        }
    }

    private mutating func scanBlockComment() {
        var depth = 0
        repeat {
            if isNext(.slash, .star) {
                depth += 1
                blank(2)
            } else if isNext(.star, .slash) {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && index < bytes.count
    }

    /// Number of quotes (1 or 3) and of hashes before them, if a string begins here.
    private func stringStart() -> (quotes: Int, hashes: Int)? {
        let hashes = count(of: .hash, from: index)
        let quotes = count(of: .quote, from: index + hashes, atMost: 3)
        guard quotes > 0 else { return nil }
        return (quotes == 3 ? 3 : 1, hashes)
    }

    private mutating func scanString(quotes: Int, hashes: Int) {
        keep(hashes + quotes)
        while let next = byte(index) {
            if next == .backslash, count(of: .hash, from: index + 1, atMost: hashes) == hashes {
                let isInterpolation = byte(index + 1 + hashes) == .open
                blank(isInterpolation ? 1 + hashes : 2 + hashes, with: .filler)
                if isInterpolation { scanCode(untilParenthesis: true) }
            } else if next == .quote, count(of: .quote, from: index, atMost: quotes) == quotes,
                count(of: .hash, from: index + quotes, atMost: hashes) == hashes
            {
                return keep(quotes + hashes)
            } else if quotes == 1, next == .newline {
                return  // Not closed: the compiler says so.
            } else {
                blank(with: .filler)
            }
        }
    }
}

/// The functions of a file and how long they are.
enum SwiftFunctions {
    struct Function: Hashable {
        /// From 1.
        var line: Int
        var lines: Int
    }

    private static let keywords: Set<[UInt8]> = Set(["func", "init", "deinit", "subscript"].map { Array($0.utf8) })
    private static let continuations = ["->", "{", "where ", "async", "throws", "rethrows", "&", ","].map {
        Array($0.utf8)
    }

    /// Functions, initializers, deinitializers and subscripts that have a body.
    /// - Parameter code: blanked lines.
    static func all(in code: [String]) -> [Function] {
        let bytes = Array(code.joined(separator: "\n").utf8)
        var functions: [Function] = []
        var line = 1
        var index = 0
        while index < bytes.count {
            if bytes[index] == .newline { line += 1 }
            guard bytes[index].isIdentifier else {
                index += 1
                continue
            }
            let start = index
            while index < bytes.count, bytes[index].isIdentifier { index += 1 }
            let isMember = start > 0 && [UInt8.dot, .backtick, .hash].contains(bytes[start - 1])
            guard !isMember, index - start <= 9, keywords.contains(Array(bytes[start..<index])),
                let end = endOfBody(bytes, from: index)
            else { continue }
            functions.append(Function(line: line, lines: bytes[start..<end].count { $0 == .newline } + 1))
        }
        return functions
    }

    /// The end of the declaration's body; nil when it has none (a requirement of a protocol).
    private static func endOfBody(_ bytes: [UInt8], from start: Int) -> Int? {
        var depth = 0
        for index in start..<bytes.count {
            switch bytes[index] {
            case .open, .openBracket: depth += 1
            case .close, .closeBracket: depth -= 1
            case .openBrace where depth == 0: return closingBrace(bytes, from: index)
            case .closeBrace where depth == 0: return nil
            case .newline where depth == 0: if !continues(bytes, from: index) { return nil }
            default: break
            }
            if depth < 0 { return nil }
        }
        return nil
    }

    /// Whether a signature goes on in the next line.
    private static func continues(_ bytes: [UInt8], from index: Int) -> Bool {
        if let before = bytes[..<index].last(where: { !$0.isBlank }), [UInt8](",&>=:".utf8).contains(before) {
            return true
        }
        let rest = bytes[index...].drop(while: \.isBlank)
        return continuations.contains { rest.starts(with: $0) }
    }

    private static func closingBrace(_ bytes: [UInt8], from start: Int) -> Int? {
        var depth = 0
        for index in start..<bytes.count {
            if bytes[index] == .openBrace { depth += 1 }
            if bytes[index] == .closeBrace {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return nil
    }
}

extension UInt8 {
    fileprivate static let newline = UInt8(ascii: "\n")
    fileprivate static let space = UInt8(ascii: " ")
    fileprivate static let filler: UInt8 = 1
    fileprivate static let slash = UInt8(ascii: "/")
    fileprivate static let star = UInt8(ascii: "*")
    fileprivate static let hash = UInt8(ascii: "#")
    fileprivate static let quote = UInt8(ascii: "\"")
    fileprivate static let backslash = UInt8(ascii: "\\")
    fileprivate static let open = UInt8(ascii: "(")
    fileprivate static let close = UInt8(ascii: ")")
    fileprivate static let openBracket = UInt8(ascii: "[")
    fileprivate static let closeBracket = UInt8(ascii: "]")
    fileprivate static let openBrace = UInt8(ascii: "{")
    fileprivate static let closeBrace = UInt8(ascii: "}")
    fileprivate static let dot = UInt8(ascii: ".")
    fileprivate static let backtick = UInt8(ascii: "`")

    fileprivate var isBlank: Bool { self == .space || self == .newline || self == UInt8(ascii: "\t") }

    /// Not the first byte of a character in UTF-8.
    fileprivate var isContinuation: Bool { self & 0xC0 == 0x80 }

    /// Letters outside ASCII too: no byte of theirs means anything else.
    fileprivate var isIdentifier: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }
}
