import CLibPQ

extension SQLError {
    /// - Parameter message: without values of the data, which may be personal.
    init(sqlState: String, message: String) {
        self.init(Self.code(sqlState: sqlState), message, state: sqlState)
        if sqlState == "25006" { self.message = "a read cannot write" }
        if sqlState == "57014" { self.message = "the statement was stopped at its deadline" }
        if sqlState == "53100" { self.message = "the database server's disk is full" }
    }

    static func code(sqlState: String) -> Code {
        switch sqlState {
        case "40001", "40P01", "55P03": return .conflict
        case "25006": return .statement
        case "57014", "25P03", "57P05": return .timeout
        default: break
        }
        switch sqlState.prefix(2) {
        case "23": return .constraint
        case "40": return .conflict
        case "08", "28", "3D", "53", "57", "58", "XX", "F0": return .unavailable
        default: return .statement
        }
    }

    /// From what the server answered.
    init(postgres result: OpaquePointer?) {
        func field(_ code: UInt8) -> String? {
            PQresultErrorField(result, Int32(code)).map { String(cString: $0) }
        }
        var message = field(UInt8(ascii: "M")) ?? "no message"
        if let constraint = field(UInt8(ascii: "n")), !message.contains(constraint) {
            message += " (constraint \(constraint))"
        }
        if let position = field(UInt8(ascii: "P")) { message += " at character \(position)" }
        if let hint = field(UInt8(ascii: "H")) { message += "; \(hint)" }
        self.init(sqlState: field(UInt8(ascii: "C")) ?? "", message: message)
    }
}
