extension SQLText {
    /// PostgreSQL's form: every `?` becomes `$1`, `$2`, …
    ///
    /// `? IS NULL` becomes `$1::text IS NULL`: PostgreSQL refuses a parameter whose type nothing tells.
    func numbered() -> (sql: String, count: Int) {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + 16)
        var count = 0
        var position = 0
        for piece in pieces() {
            switch piece {
            case .verbatim(let range):
                output += bytes[range]
                position = range.upperBound
            case .question:
                count += 1
                position += 1
                appendParameter(count, endingAt: position, to: &output)
            case .name(let range):
                output += bytes[range.lowerBound - 1..<range.upperBound]
                position = range.upperBound
            }
        }
        return (String(decoding: output, as: UTF8.self), count)
    }

    /// Every `:name` becomes a numbered parameter (`$1` or `?1`), the same number for the same name.
    ///
    /// - Returns: the names in the order of their numbers.
    func named() -> (sql: String, names: [String]) {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + 16)
        var names: [String] = []
        for piece in pieces() {
            switch piece {
            case .verbatim(let range):
                output += bytes[range]
            case .question:
                output.append(UInt8(ascii: "?"))
            case .name(let range):
                let name = string(range)
                let known = names.firstIndex(of: name)
                if known == nil { names.append(name) }
                appendParameter((known ?? names.count - 1) + 1, endingAt: range.upperBound, to: &output)
            }
        }
        return (String(decoding: output, as: UTF8.self), names)
    }

    private func appendParameter(_ number: Int, endingAt position: Int, to output: inout [UInt8]) {
        output.append(UInt8(ascii: dialect == .postgres ? "$" : "?"))
        output += Array(String(number).utf8)
        if dialect == .postgres, isNullTestFollows(from: position) { output += Array("::text".utf8) }
    }
}
