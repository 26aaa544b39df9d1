/// Why a connection or a message cannot go on, in words that may be told to whoever sent it.
///
/// `code` is for programs, `sqlState` and `message` go into an ErrorResponse. A message never holds a secret, and
/// nothing that came over the wire but names the sender already knows.
package struct WireError: Error, Hashable, Sendable {
    package enum Code: Hashable, Sendable {
        /// The bytes do not follow the protocol.
        case protocolViolation
        /// A length beyond its limit; nothing of the message was kept.
        case tooLarge
        /// Well formed, but not offered here: a protocol version, an authentication method, an option.
        case unsupported
        /// A start-up parameter whose value makes no sense.
        case invalidParameter
        /// A client that may not come in.
        case notAuthorized
        /// The server refused us; `sqlState` and `message` are its own.
        case refusedByServer
        /// The server could not prove itself, or asked for what would give a secret away.
        case untrustedServer
        /// Our own fault.
        case internalFault
    }

    package var code: Code
    /// Five characters, as PostgreSQL's Appendix A lists them.
    package var sqlState: String
    package var message: String
    /// What the server itself said, to be passed on as it is.
    package var fields: ErrorFields?

    package init(_ code: Code, sqlState: String, _ message: String) {
        self.code = code
        self.sqlState = sqlState
        self.message = message
    }
}

extension WireError: CustomStringConvertible {
    package var description: String { "\(sqlState): \(message)" }
}

extension WireError {
    /// `08P01`.
    package static func protocolViolation(_ message: String) -> WireError {
        WireError(.protocolViolation, sqlState: "08P01", message)
    }

    /// `08P01`, as PostgreSQL says it of lengths.
    package static func tooLarge(_ message: String) -> WireError {
        WireError(.tooLarge, sqlState: "08P01", message)
    }

    /// `0A000`.
    package static func unsupported(_ message: String) -> WireError {
        WireError(.unsupported, sqlState: "0A000", message)
    }

    /// `22023`.
    package static func invalidParameter(_ message: String) -> WireError {
        WireError(.invalidParameter, sqlState: "22023", message)
    }

    /// `28000`.
    package static func notAuthorized(_ message: String) -> WireError {
        WireError(.notAuthorized, sqlState: "28000", message)
    }

    /// `28P01`, in PostgreSQL's words: one text for an unknown user, a wrong and an expired password, so that an
    /// answer does not tell which users there are.
    package static func wrongPassword(user: String) -> WireError {
        WireError(.notAuthorized, sqlState: "28P01", "password authentication failed for user \"\(shown(user))\"")
    }

    /// `28000`: trying again does not make a server trustworthy.
    package static func untrustedServer(_ message: String) -> WireError {
        WireError(.untrustedServer, sqlState: "28000", message)
    }

    /// At most 63 bytes, PostgreSQL's own limit of a name, cut between characters.
    private static func shown(_ name: String) -> String {
        var cut = name.prefix(63)
        while cut.utf8.count > 63 { cut.removeLast() }
        return String(cut)
    }
}
