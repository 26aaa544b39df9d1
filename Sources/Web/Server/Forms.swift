import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// The fields of a submitted form.
package struct FormFields: Sendable {
    private var values: [String: [String]]

    package init(_ values: [String: [String]] = [:]) {
        self.values = values
    }

    /// The first value of a field; nil when it was not sent.
    package subscript(name: String) -> String? { values[name]?.first }

    package func all(_ name: String) -> [String] { values[name] ?? [] }

    package var names: [String] { values.keys.sorted() }

    /// Reads `application/x-www-form-urlencoded`. Bytes that are not UTF-8, escapes that are none and control
    /// characters beside tab and line ends make the whole form unreadable.
    package init?(decoding bytes: some Collection<UInt8>) {
        var values: [String: [String]] = [:]
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentCoding.decode(parts[0], plusIsSpace: true),
                let value = parts.count == 2 ? PercentCoding.decode(parts[1], plusIsSpace: true) : ""
            else { return nil }
            values[name, default: []].append(value)
        }
        self.values = values
    }
}

package enum Forms {
    package static let maximumBytes = 64 << 10

    /// The fields of a request's form. May be called again after the CSRF check has read it.
    /// - Throws: `Problem` 400, 413 or 415.
    package static func read(_ request: Request) async throws -> FormFields {
        guard request.mediaType == "application/x-www-form-urlencoded" else {
            throw Problem(.unsupportedMediaType, "Send a form as application/x-www-form-urlencoded.")
        }
        let body = try await request.bytes(upTo: maximumBytes)
        guard let fields = FormFields(decoding: body.readableBytesView) else {
            throw Problem(.badRequest, "The form cannot be read.")
        }
        return fields
    }
}

enum PercentCoding {
    /// Nil for escapes that are none, bytes that are not UTF-8, and control characters beside tab and line ends.
    static func decode(_ bytes: some Collection<UInt8>, plusIsSpace: Bool = false) -> String? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var iterator = bytes.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else {
                    return nil
                }
                decoded.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: decoded.append(UInt8(ascii: " "))
            default: decoded.append(byte)
            }
        }
        guard let text = String(validating: decoded, as: UTF8.self), !text.hasControlCharacters else { return nil }
        return text
    }

    static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += byte < 16 ? "%0" + digits : "%" + digits
            }
        }
        return encoded
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension String {
    /// Control characters beside tab and line ends: no field holds them, and not every database can.
    var hasControlCharacters: Bool {
        unicodeScalars.contains { $0.value < 0x20 && $0 != "\t" && $0 != "\n" && $0 != "\r" || $0.value == 0x7f }
    }
}

extension Request {
    /// `application/json` of `application/json; charset=utf-8`, in lower case.
    var mediaType: String? {
        headers[.contentType].map { header in
            String(header.prefix { $0 != ";" }).lowercased().filter { $0 != " " && $0 != "\t" }
        }
    }

    /// The whole body.
    /// - Throws: `Problem` 413 when it is longer than `limit` or says so.
    func bytes(upTo limit: Int) async throws -> ByteBuffer {
        if let announced = headers[.contentLength].flatMap({ Int($0) }), announced > limit {
            throw Problem.tooLarge(limit)
        }
        do {
            return try await body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw Problem.tooLarge(limit)
        }
    }
}

extension Problem {
    static func tooLarge(_ limit: Int) -> Problem {
        Problem(.contentTooLarge, "The body is larger than \(limit) bytes.")
    }
}
