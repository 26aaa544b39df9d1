/// The header by which a journey's requests say that no real user is behind them, and which variants they force:
///
///     Mainstay-Synthetic: v1;user=<key>;exp=<UTC ms>;force=<flag>=<variant>,<flag>=<variant>;sig=<hex>
///
/// `sig` is the HMAC-SHA256, in lower-case hexadecimal, of everything before `;sig=`, under a secret that Mainstay and
/// the service share. This type is the format alone; whoever has the secret signs and verifies. Everything but
/// letters, digits and `-._~` is percent-encoded in user, flags and variants.
package struct SyntheticHeader: Hashable, Sendable {
    package static let name = "Mainstay-Synthetic"
    /// Longer ones are not read.
    package static let maximumLength = 4_096
    package static let maximumForced = 32

    package var user: String
    package var expires: Instant
    /// Flag to variant.
    package var forced: [String: String]

    package init(user: String, expires: Instant, forced: [String: String] = [:]) {
        self.user = user
        self.expires = expires
        self.forced = forced
    }

    /// What is signed.
    package var payload: String {
        let force = forced.sorted { $0.key < $1.key }
            .map { "\(Self.encode($0.key))=\(Self.encode($0.value))" }
            .joined(separator: ",")
        return "v1;user=\(Self.encode(user));exp=\(expires.milliseconds);force=\(force)"
    }

    /// The header's value, given the signature of `payload`.
    package func value(signature: String) -> String { "\(payload);sig=\(signature)" }

    /// The header, the text that its signature covers, and the signature, which is still to be verified. Nil for
    /// anything that `value(signature:)` cannot have written.
    package static func parse(_ text: String) -> (header: SyntheticHeader, payload: String, signatureHex: String)? {
        guard text.utf8.count <= maximumLength else { return nil }
        let fields = text.split(separator: ";", omittingEmptySubsequences: false)
        guard fields.count == 5, fields[0] == "v1",
            let user = value(fields[1], "user="), let key = decode(user), !key.isEmpty,
            let expires = value(fields[2], "exp="), let milliseconds = Int64(expires),
            let force = value(fields[3], "force="), let forced = parse(forced: force),
            let signature = value(fields[4], "sig="), signature.utf8.count == 64
        else { return nil }
        let header = SyntheticHeader(
            user: key, expires: Instant(milliseconds: milliseconds), forced: forced)
        let payload = fields[..<4].joined(separator: ";")
        return (header, payload, String(signature))
    }

    private static func value(_ field: Substring, _ name: String) -> Substring? {
        field.utf8.starts(with: name.utf8) ? field.dropFirst(name.count) : nil
    }

    private static func parse(forced text: Substring) -> [String: String]? {
        var forced: [String: String] = [:]
        guard !text.isEmpty else { return forced }
        for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = pair.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let flag = decode(sides[0]), let variant = decode(sides[1]), !flag.isEmpty,
                forced.updateValue(variant, forKey: flag) == nil, forced.count <= maximumForced
            else { return nil }
        }
        return forced
    }

    private static func encode(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isPlain(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            } else {
                guard isPlain(byte) else { return nil }
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
