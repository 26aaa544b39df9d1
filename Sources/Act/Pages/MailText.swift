import Foundation

/// How text travels in mail that must be ASCII in short lines.
enum MailText {
    /// A header field: plain when it is short ASCII, otherwise in encoded words (RFC 2047), one a line.
    ///
    /// - Parameter value: one line; a line break in it would start another field, so it is encoded like all that is not
    ///   printable ASCII.
    static func header(_ name: String, _ value: String) -> String {
        let isPrintable = value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        if isPrintable, !value.contains("=?"), name.utf8.count + 2 + value.utf8.count <= 76 {
            return "\(name): \(value)"
        }
        return "\(name): \(encodedWords(value).joined(separator: "\r\n "))"
    }

    /// `=?UTF-8?B?…?=`, each at most 75 characters: 45 bytes make 60, and no character is torn apart.
    private static func encodedWords(_ text: String) -> [String] {
        var words: [String] = []
        var chunk: [UInt8] = []
        func flush() {
            if !chunk.isEmpty { words.append("=?UTF-8?B?\(Data(chunk).base64EncodedString())?=") }
            chunk = []
        }
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if chunk.count + bytes.count > 45 { flush() }
            chunk += bytes
        }
        flush()
        return words
    }

    /// RFC 2045, section 6.7: lines of at most 76 characters, ended by CRLF.
    static func quotedPrintable(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { quotedLine(Array($0.utf8)) }.joined(separator: "\r\n")
    }

    private static func quotedLine(_ bytes: [UInt8]) -> String {
        var lines: [[UInt8]] = [[]]
        for (index, byte) in bytes.enumerated() {
            let isLast = index == bytes.count - 1
            let isBlank = byte == 0x20 || byte == 0x09
            let isPlain = (byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "=")) || (isBlank && !isLast)
            let token = isPlain ? [byte] : Array("=\(hex(byte))".utf8)
            // One place is kept for the soft line break, and a blank before it is safe because the break is not blank.
            if lines[lines.count - 1].count + token.count > 75 { lines.append([]) }
            lines[lines.count - 1] += token
        }
        return lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "=\r\n")
    }

    private static func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "0\(text)" : text
    }
}
