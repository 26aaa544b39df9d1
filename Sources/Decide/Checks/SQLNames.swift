/// The `:name` parameters of a SQL statement. Quoted text, quoted identifiers, comments and `::casts` are not looked
/// into. The database's driver has the last word; this finds a misspelt name before the journey runs.
package enum SQLNames {
    /// In order of appearance, each once.
    package static func used(in statement: String) -> [String] {
        let bytes = Array(statement.utf8)
        var names: [String] = []
        var index = 0
        while index < bytes.count {
            if let end = endOfOpaque(bytes, index) {
                index = end
            } else if bytes[index] == UInt8(ascii: ":") {
                let doubled = index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: ":")
                let end = doubled ? index + 2 : endOfName(bytes, index + 1)
                let follows = index > 0 && (isNameByte(bytes[index - 1]) || bytes[index - 1] == UInt8(ascii: "]"))
                if !doubled, !follows, end > index + 1, !PercentEncoding.isDigit(bytes[index + 1]) {
                    let name = String(decoding: bytes[index + 1..<end], as: UTF8.self)
                    if !names.contains(name) { names.append(name) }
                }
                index = end
            } else {
                index += 1
            }
        }
        return names
    }

    /// Dots and hyphens cannot stand in a parameter's name: `account.email` is `:account_email`.
    package static func flatten(_ name: String) -> String {
        String(name.map { $0 == "." || $0 == "-" ? "_" : $0 })
    }

    /// The variables a statement uses, under the names it uses; one that is not set is left out.
    package static func parameters(
        of statement: String, from variables: [String: JSONValue]
    ) -> [String: JSONValue] {
        let used = Set(used(in: statement))
        var parameters: [String: JSONValue] = [:]
        for (name, value) in variables where used.contains(flatten(name)) { parameters[flatten(name)] = value }
        return parameters
    }

    private static func endOfOpaque(_ bytes: [UInt8], _ start: Int) -> Int? {
        let byte = bytes[start]
        let next = start + 1 < bytes.count ? bytes[start + 1] : 0
        if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
            // A doubled quote closes here and opens again at once, which comes to the same.
            return (bytes[(start + 1)...].firstIndex(of: byte) ?? bytes.count - 1) + 1
        }
        if byte == UInt8(ascii: "-"), next == byte {
            return bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        }
        if byte == UInt8(ascii: "/"), next == UInt8(ascii: "*") {
            var index = start + 2
            while index + 1 < bytes.count, bytes[index] != UInt8(ascii: "*") || bytes[index + 1] != UInt8(ascii: "/") {
                index += 1
            }
            return min(index + 2, bytes.count)
        }
        return nil
    }

    private static func endOfName(_ bytes: [UInt8], _ start: Int) -> Int {
        var index = start
        while index < bytes.count, isNameByte(bytes[index]) { index += 1 }
        return index
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        PercentEncoding.isLetter(byte) || PercentEncoding.isDigit(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
    }
}
