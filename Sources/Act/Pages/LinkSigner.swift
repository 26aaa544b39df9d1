import Crypto
import Decide
import Foundation

/// Makes and reads the links by which the receiver of a page acts without signing in.
///
/// `BASE/l/TOKEN`, where the token is `base64url(payload).base64url(HMAC-SHA256(key, payload))` and the payload names
/// the page, what the link does and when it ends. A token says only who may ask; that it works once is the page's own
/// state in the record (`PageEvent.linkUsed`).
package struct LinkSigner: Sendable {
    /// Longer tokens are not looked at.
    package static let tokenLimit = 2_048
    private static let version = "link1"

    /// Without a slash at the end.
    package let base: String
    private let key: SymmetricKey

    /// - Parameters:
    ///   - key: 32 random bytes, the same in every process and after every start.
    ///   - base: the address under which people reach Mainstay: `https://mainstay.example`.
    package init(key: [UInt8], base: String) {
        precondition(key.count == 32, "a link key has 32 bytes")
        self.key = SymmetricKey(data: key)
        var base = Substring(base)
        while base.hasSuffix("/") { base = base.dropLast() }
        self.base = String(base)
    }

    package func url(page: String, link: PageLink, expires: Instant) -> String {
        "\(base)/l/\(token(page: page, link: link, expires: expires))"
    }

    /// The incident's page, which needs a sign-in.
    package func incident(_ id: String) -> String {
        "\(base)/incidents/\(PercentEncoding.encode(id))"
    }

    /// A secret for another purpose, the same wherever the key is the same, that tells nothing of the key.
    package func derivedSecret(_ purpose: String) -> String {
        Base64URL.encode(Data(HMAC<SHA256>.authenticationCode(for: Data("derived\n\(purpose)".utf8), using: key)))
    }

    func token(page: String, link: PageLink, expires: Instant) -> String {
        let payload = Data("\(Self.version)\n\(link.rawValue)\n\(expires.milliseconds)\n\(page)".utf8)
        let signature = HMAC<SHA256>.authenticationCode(for: payload, using: key)
        return "\(Base64URL.encode(payload)).\(Base64URL.encode(Data(signature)))"
    }

    /// What a token allows; nil when it is not ours, was altered or has expired. The signature is compared in constant
    /// time, before anything in the token is believed.
    package func verify(_ token: String, now: Instant) -> (page: String, link: PageLink)? {
        guard token.utf8.count <= Self.tokenLimit else { return nil }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let payload = Base64URL.decode(parts[0]), let signature = Base64URL.decode(parts[1]),
            HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: payload, using: key)
        else { return nil }
        let fields = String(decoding: payload, as: UTF8.self).split(
            separator: "\n", maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count == 4, fields[0] == Self.version, let link = PageLink(rawValue: String(fields[1])),
            let expires = Int64(fields[2]), now < Instant(milliseconds: expires)
        else { return nil }
        return (String(fields[3]), link)
    }
}

extension LinkSigner: CustomStringConvertible, CustomReflectable {
    package var description: String { "LinkSigner(\(base))" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Base 64 for URLs, without padding (RFC 4648, section 5).
enum Base64URL {
    static func encode(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Only what `encode` writes: one value has one text.
    static func decode(_ text: some StringProtocol) -> Data? {
        let standard = String(text).replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: standard + padding), encode(data) == text else { return nil }
        return data
    }
}

enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
