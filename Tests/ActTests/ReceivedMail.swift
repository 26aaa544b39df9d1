import Foundation

/// A mail as a reader understands it: unfolded header, decoded words and parts.
struct ReceivedMail {
    var fields: [(name: String, value: String)] = []
    var plain = ""
    var html = ""

    init(_ text: String) {
        guard let end = text.range(of: "\r\n\r\n") else { return }
        for line in text[..<end.lowerBound].components(separatedBy: "\r\n") {
            if line.first == " " || line.first == "\t", !fields.isEmpty {
                fields[fields.count - 1].value += line
            } else if let colon = line.firstIndex(of: ":") {
                fields.append(
                    (String(line[..<colon]), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)))
            }
        }
        let boundary = self["Content-Type"].components(separatedBy: "boundary=\"").last?.dropLast() ?? ""
        for part in text[end.upperBound...].components(separatedBy: "--\(boundary)") {
            let halves = part.components(separatedBy: "\r\n\r\n")
            guard halves.count >= 2 else { continue }
            let body = Self.quotedPrintable(halves.dropFirst().joined(separator: "\r\n\r\n"))
            if halves[0].contains("text/plain") { plain = body }
            if halves[0].contains("text/html") { html = body }
        }
    }

    subscript(name: String) -> String { fields.first { $0.name == name }?.value ?? "" }

    func count(_ name: String) -> Int { fields.count { $0.name.lowercased() == name.lowercased() } }

    /// RFC 2047, base 64 words in UTF-8 only.
    var subject: String {
        let words = self["Subject"].split(separator: " ")
        guard words.allSatisfy({ $0.hasPrefix("=?UTF-8?B?") && $0.hasSuffix("?=") }) else { return self["Subject"] }
        let bytes = words.compactMap { Data(base64Encoded: String($0.dropFirst(10).dropLast(2))) }
        return String(decoding: bytes.joined(), as: UTF8.self)
    }

    static func quotedPrintable(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "="), rest.count >= 2 else {
                bytes.append(byte)
                continue
            }
            let pair = rest.prefix(2)
            rest = rest.dropFirst(2)
            if let value = UInt8(String(decoding: pair, as: UTF8.self), radix: 16) { bytes.append(value) }
        }
        return String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n")
    }
}
