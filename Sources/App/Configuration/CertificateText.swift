import Foundation

/// Looks whether a file can hold authorities to trust, so that a wrong one is told when the configuration is read and
/// not when the first page goes out.
enum CertificateText {
    /// Several times what a system trusts as a whole.
    static let limit = 1 << 20

    private static let begin = "-----BEGIN CERTIFICATE-----"
    private static let end = "-----END CERTIFICATE-----"

    /// What is wrong with it; nil when it has one certificate or more in PEM form. Whether they are good is for the TLS
    /// library to say.
    static func problem(_ bytes: [UInt8]) -> String? {
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        var count = 0
        var content: String?
        for line in lines.map({ $0.trimmingCharacters(in: .whitespaces) }) {
            if line == begin {
                guard content == nil else { return cutOff }
                content = ""
            } else if line == end {
                // DER: a sequence, whatever it holds.
                guard let text = content, Data(base64Encoded: text)?.first == 0x30 else {
                    return "holds a certificate that is damaged (the \(count + 1). in the file)"
                }
                count += 1
                content = nil
            } else {
                content?.append(line)
            }
        }
        if content != nil { return cutOff }
        return count > 0 ? nil : "holds no certificate in PEM form, which begins with \(begin)"
    }

    private static let cutOff = "holds a certificate that is cut off: it has no \(end)"
}
