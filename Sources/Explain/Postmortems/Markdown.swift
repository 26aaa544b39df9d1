/// Text as Markdown (CommonMark and GitHub's tables) that means itself.
package enum Markdown {
    /// Escapes everything that could be markup within a line, HTML or a table's border, and joins lines, so that what a
    /// customer or a service wrote stays one run of plain text wherever it is put.
    package static func escape(_ text: String) -> String {
        var escaped = ""
        var isSpace = false
        for character in text {
            if character.isWhitespace || character.isNewline {
                if !isSpace { escaped.append(" ") }
                isSpace = true
                continue
            }
            isSpace = false
            switch character {
            case "\\", "`", "*", "_", "[", "]", "|", "~":
                escaped.append("\\")
                escaped.append(character)
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case _ where character.unicodeScalars.allSatisfy { $0.properties.generalCategory == .control }: break
            default: escaped.append(character)
            }
        }
        return escaped
    }

    /// `code`, fenced by more backticks than it holds.
    package static func code(_ text: String) -> String {
        var longest = 0
        var run = 0
        var line = ""
        for character in text {
            run = character == "`" ? run + 1 : 0
            longest = max(longest, run)
            if character.isNewline {
                line.append(" ")
            } else if character == "|" {
                // A table's cell ends at a bar even inside code.
                line += "\\|"
            } else {
                line.append(character)
            }
        }
        let fence = String(repeating: "`", count: longest + 1)
        let padding = line.hasPrefix("`") || line.hasSuffix("`") || line.isEmpty ? " " : ""
        return fence + padding + line + padding + fence
    }

    /// Percent-encodes what would end a link's target or its table cell.
    package static func target(_ path: String) -> String {
        var encoded = ""
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "?"), UInt8(ascii: "="),
                UInt8(ascii: "&"), UInt8(ascii: "#"), UInt8(ascii: "%"), UInt8(ascii: "@"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (byte < 16 ? "0" : "") + digits
            }
        }
        return encoded
    }
}
