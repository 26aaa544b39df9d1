/// What was said between libcurl and a mail server, as far as it matters afterwards: the server's last reply, and
/// whether it answered to the message or only to the session around it. Commands are looked at and never kept: they
/// hold passwords.
struct SMTPTranscript {
    private static let lineLimit = 512

    /// The last line of the last reply: `250 2.0.0 Ok: queued as 4X…`. Empty before the greeting, and after a
    /// command that was not answered.
    private(set) var lastReply = ""
    /// MAIL was sent: replies are about this message from here on.
    private(set) var reachedMessage = false
    private var hasQuit = false
    private var partial: [UInt8] = []

    /// The reply's three digits.
    var code: Int? {
        let digits = lastReply.utf8.prefix(3)
        guard digits.count == 3, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(lastReply.prefix(3))
    }

    mutating func sent(_ command: some Collection<UInt8>) {
        let verb = String(decoding: command.prefix(4), as: UTF8.self).uppercased()
        // The farewell's answer proves nothing and would overwrite the one that does.
        if verb == "QUIT" { hasQuit = true }
        guard !hasQuit else { return }
        if verb == "MAIL" { reachedMessage = true }
        lastReply = ""
    }

    /// The text went out: what was replied to DATA is no reply to it.
    mutating func sentText() {
        if !hasQuit { lastReply = "" }
    }

    mutating func received(_ bytes: some Sequence<UInt8>) {
        guard !hasQuit else { return }
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                endLine()
            } else if byte != UInt8(ascii: "\r"), partial.count < Self.lineLimit {
                partial.append(byte)
            }
        }
    }

    private mutating func endLine() {
        // `250-…` announces more lines; the one with a blank ends the reply.
        let isLast = partial.count < 4 || partial[3] != UInt8(ascii: "-")
        if isLast { lastReply = String(decoding: partial, as: UTF8.self) }
        partial = []
    }
}
