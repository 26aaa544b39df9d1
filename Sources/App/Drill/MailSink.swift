import NIOCore
import NIOPosix
import Synchronization

/// The mailbox of the drill's person on call: a small SMTP server that keeps what it is given (RFC 5321, without
/// extensions but PIPELINING-safe parsing).
final class MailSink: Sendable {
    struct Mail: Sendable {
        var to: String
        /// Headers and body, as sent.
        var text: String
    }

    static let mailLimit = 1 << 20
    static let keptLimit = 1_000

    private let kept = Mutex<[Mail]>([])

    var mails: [Mail] { kept.withLock { $0 } }

    /// Serves until cancelled; calls `onReady` with its port.
    func run(onReady: @Sendable (Int) -> Void) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        onReady(server.channel.localAddress?.port ?? 0)
        try await withThrowingDiscardingTaskGroup { group in
            try await server.executeThenClose { clients in
                for try await client in clients {
                    group.addTask { await self.serve(client) }
                }
            }
        }
    }

    /// One session; a client that breaks off only ends its own.
    private func serve(_ client: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async {
        do {
            try await client.executeThenClose { inbound, outbound in
                var session = Session()
                try await outbound.write(ByteBuffer(string: "220 drill.test ready\r\n"))
                for try await bytes in inbound {
                    for answer in session.take(String(buffer: bytes)) {
                        try await outbound.write(ByteBuffer(string: answer + "\r\n"))
                    }
                    for mail in session.finished { keep(mail) }
                    session.finished = []
                    if session.isOver { return }
                }
            }
        } catch {
            return
        }
    }

    private func keep(_ mail: Mail) {
        kept.withLock { mails in
            if mails.count < MailSink.keptLimit { mails.append(mail) }
        }
    }

    /// The protocol, without the socket: text in, answers out.
    struct Session {
        var finished: [Mail] = []
        var isOver = false
        private var pending = ""
        private var recipients: [String] = []
        private var body: String?
        private var count = 0

        mutating func take(_ text: String) -> [String] {
            pending += text
            var answers: [String] = []
            while let end = pending.firstRange(of: "\r\n") {
                let line = String(pending[..<end.lowerBound])
                pending.removeSubrange(..<end.upperBound)
                if let answer = hear(line) { answers.append(answer) }
            }
            if pending.utf8.count > MailSink.mailLimit {
                isOver = true
                answers.append("500 line too long")
            }
            return answers
        }

        private mutating func hear(_ line: String) -> String? {
            if body != nil { return add(line) }
            let verb = line.prefix { $0 != " " && $0 != ":" }.uppercased()
            switch verb {
            case "EHLO", "HELO": return "250 drill.test"
            case "MAIL": return "250 2.1.0 Ok"
            case "RCPT":
                recipients.append(String(line.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" }))
                return "250 2.1.5 Ok"
            case "DATA":
                guard !recipients.isEmpty else { return "503 5.5.1 RCPT first" }
                body = ""
                return "354 End data with <CR><LF>.<CR><LF>"
            case "RSET", "NOOP":
                recipients = verb == "RSET" ? [] : recipients
                return "250 2.0.0 Ok"
            case "QUIT":
                isOver = true
                return "221 2.0.0 Bye"
            default: return "502 5.5.2 not known here"
            }
        }

        private mutating func add(_ line: String) -> String? {
            guard line == "." else {
                body?.append((line.hasPrefix("..") ? String(line.dropFirst()) : line) + "\n")
                return nil
            }
            let text = body ?? ""
            finished += recipients.map { Mail(to: $0, text: text) }
            count += 1
            body = nil
            recipients = []
            return "250 2.0.0 Ok: queued as DRILL\(count)"
        }
    }
}
