import Crypto
import Decide

/// Signs the mark of the synthetic user with the secret that Mainstay and the service share.
struct SyntheticSigner: Sendable {
    private let key: SymmetricKey

    init(secret: String) {
        key = SymmetricKey(data: Array(secret.utf8))
    }

    func value(_ header: SyntheticHeader) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array(header.payload.utf8), using: key)
        let digits = Array("0123456789abcdef".utf8)
        var hex: [UInt8] = []
        for byte in code { hex += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return header.value(signature: String(decoding: hex, as: UTF8.self))
    }
}
