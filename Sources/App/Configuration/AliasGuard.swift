/// Looks for files whose aliases would grow without bound when they are read.
///
/// The parser compares keys while it reads, before anything can be counted, so this looks at the text. It may see an
/// alias where there is none (in a text, say); it never overlooks one. A file without both anchors and aliases passes.
enum AliasGuard {
    static let anchorLimit = 8
    static let aliasLimit = 64

    struct Finding: Hashable {
        var line: Int
        var column: Int
        var message: String
    }

    static func check(_ text: some Sequence<UInt8>) -> Finding? {
        var anchors: [Finding] = []
        var aliases: [Finding] = []
        var keys: [Finding] = []
        var line = 1
        var current: [UInt8] = []
        func scan() {
            for (index, byte) in current.enumerated() where startsToken(current, index) {
                let place = Finding(line: line, column: index + 1, message: "")
                let next = index + 1 < current.count ? current[index + 1] : 32
                if byte == UInt8(ascii: "&"), isName(next) { anchors.append(place) }
                if byte == UInt8(ascii: "?"), isSpace(next) { keys.append(place) }
                if byte == UInt8(ascii: "*"), isName(next) {
                    aliases.append(place)
                    if isInKey(current[(index + 1)...]) { keys.append(place) }
                }
            }
        }
        for byte in text {
            if byte == 10 || byte == 13 {
                scan()
                current.removeAll(keepingCapacity: true)
                line += byte == 10 ? 1 : 0
            } else {
                current.append(byte)
            }
        }
        scan()
        guard !anchors.isEmpty, !aliases.isEmpty else { return nil }
        if anchors.count > anchorLimit { return tooMany(anchors[anchorLimit], "anchors", anchorLimit) }
        if aliases.count > aliasLimit { return tooMany(aliases[aliasLimit], "aliases", aliasLimit) }
        return keys.first.map {
            Finding(line: $0.line, column: $0.column, message: "an alias cannot be part of a key: write the key out")
        }
    }

    private static func tooMany(_ place: Finding, _ what: String, _ limit: Int) -> Finding {
        Finding(
            line: place.line, column: place.column,
            message: "there are more than \(limit) \(what): write the values out")
    }

    private static func startsToken(_ line: [UInt8], _ index: Int) -> Bool {
        index == 0 || line[index - 1] >= 0x80 || isSpace(line[index - 1]) || "[{,:-?".utf8.contains(line[index - 1])
    }

    /// The alias itself is followed by a colon, or a collection on this line that holds it is.
    private static func isInKey(_ rest: ArraySlice<UInt8>) -> Bool {
        var canEnd = true
        var index = rest.startIndex
        while index < rest.endIndex {
            let byte = rest[index]
            if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") {
                canEnd = true
            } else if byte == UInt8(ascii: ":") {
                if canEnd { return true }
            } else if isSpace(byte) {
                // Between the end of a key and its colon there may be spaces.
            } else if canEnd, !isName(byte) || (index > rest.startIndex && isSpace(rest[index - 1])) {
                canEnd = false
            }
            index += 1
        }
        return false
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

    private static func isName(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
