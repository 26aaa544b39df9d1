/// The start-up parameter `options`: what used to be the command line of a server process.
///
/// Read are `-c name=value`, `-cname=value` and `--name=value`; a backslash keeps the next character (a space, another
/// backslash) in its word. In names `-` stands for `_`. PostgreSQL's one-letter switches are refused by name: each has
/// a `-c` form, and guessing at one would change a session in silence.
enum StartupOptions {
    /// - Throws: `42601` for what PostgreSQL would not take either, `0A000` for its other switches.
    static func parse(_ text: String) throws(WireError) -> [StartupParameters.Parameter] {
        var settings: [StartupParameters.Parameter] = []
        var words = split(text)[...]
        while let word = words.popFirst() {
            if word.hasPrefix("--"), word != "--" {
                settings.append(try setting(word.dropFirst(2), switch: "--"))
            } else if word == "-c" {
                guard let next = words.popFirst() else { throw syntax("-c requires a value") }
                settings.append(try setting(next[...], switch: "-c "))
            } else if word.hasPrefix("-c") {
                settings.append(try setting(word.dropFirst(2), switch: "-c "))
            } else if word == "--", words.isEmpty {
                break
            } else if word.hasPrefix("-"), word != "-", word != "--" {
                throw .unsupported("start-up option \"\(word.prefix(2))\" is not supported: use -c name=value")
            } else {
                throw syntax("invalid command-line argument for server process: \(word.prefix(63))")
            }
        }
        return settings
    }

    /// Words between white space, as C's `isspace` knows it.
    static func split(_ text: String) -> [String] {
        var words: [String] = []
        var word = String.UnicodeScalarView()
        var isInside = false
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                word.append(scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isInside = true
                isEscaped = true
            } else if scalar == " " || (9...13).contains(scalar.value) {
                if isInside { words.append(String(word)) }
                word = .init()
                isInside = false
            } else {
                word.append(scalar)
                isInside = true
            }
        }
        if isInside { words.append(String(word)) }
        return words
    }

    private static func setting(_ text: Substring, switch name: String) throws(WireError) -> StartupParameters.Parameter
    {
        guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")), equals > text.startIndex else {
            throw syntax("\(name)\(text.prefix(63)) requires a value")
        }
        let key = text[..<equals].utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
        return .init(
            name: String(decoding: key, as: UTF8.self), value: String(text[text.utf8.index(after: equals)...]))
    }

    private static func syntax(_ message: String) -> WireError {
        WireError(.invalidParameter, sqlState: "42601", message)
    }
}
