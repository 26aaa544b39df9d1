/// Paths of Mainstay's pages. Ids go in percent-encoded, so that any id makes one path segment.
package enum Links {
    package static func incident(_ id: String) -> String { "/incidents/\(segment(id))" }
    package static func postmortem(_ id: String) -> String { "/incidents/\(segment(id))/postmortem" }
    package static func entry(_ id: Int64) -> String { "/timeline/\(id)" }
    package static func release(_ id: String) -> String { "/releases/\(segment(id))" }
    package static func change(_ id: String) -> String { "/changes/\(segment(id))" }
    package static func flag(_ service: String, _ key: String) -> String {
        "/flags/\(segment(service))/\(segment(key))"
    }

    /// - Parameter id: `service/name`.
    package static func check(_ id: String) -> String {
        let service = id.prefix { $0 != "/" }
        return "/checks/\(segment(service))/\(segment(id.dropFirst(service.count + 1)))"
    }

    package static func segment(_ text: some StringProtocol) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (byte < 16 ? "0" : "") + digits
            }
        }
        return encoded
    }
}
