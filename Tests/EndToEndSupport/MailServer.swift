import NIOCore
import NIOPosix
import Synchronization

/// The mailbox of the person on call: a small SMTP server whose manners can be changed while it runs.
package final class MailServer: Sendable {
    package enum Manners: Sendable {
        case accept
        /// Answers 451 to every sender.
        case refuse
        /// Takes the connection and says nothing.
        case hang
    }

    private struct State {
        var manners: Manners
        var mails: [String] = []
        var connections = 0
        var port = 0
    }

    private let state: Mutex<State>

    package init(_ manners: Manners = .accept) { state = Mutex(State(manners: manners)) }

    package var manners: Manners {
        get { state.withLock { $0.manners } }
        set { state.withLock { $0.manners = newValue } }
    }
    /// Headers and body of each.
    package var mails: [String] { state.withLock { $0.mails } }
    package var connections: Int { state.withLock { $0.connections } }
    package var port: Int { state.withLock { $0.port } }

    /// One value of a header in each mail.
    package func headers(_ name: String) -> [String] {
        mails.compactMap { mail in
            mail.split(separator: "\n").first { $0.lowercased().hasPrefix(name.lowercased() + ":") }.map(String.init)
        }
    }

    /// Serves until cancelled.
    package func run(onReady: @Sendable () -> Void) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        state.withLock { $0.port = server.channel.localAddress?.port ?? 0 }
        onReady()
        try await server.executeThenClose { clients in
            try await withThrowingDiscardingTaskGroup { group in
                for try await client in clients { group.addTask { await self.serve(client) } }
            }
        }
    }

    private func serve(_ client: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async {
        let manners = state.withLock { state in
            state.connections += 1
            return state.manners
        }
        try? await client.executeThenClose { inbound, outbound in
            if case .hang = manners {
                for try await _ in inbound {}
                return
            }
            var (pending, body) = ("", String?.none)
            try await outbound.write(ByteBuffer(string: "220 post.test ready\r\n"))
            for try await bytes in inbound {
                pending += String(buffer: bytes)
                while let end = pending.firstRange(of: "\r\n") {
                    let line = String(pending[..<end.lowerBound])
                    pending.removeSubrange(..<end.upperBound)
                    guard let answer = hear(line, &body, manners) else { continue }
                    try await outbound.write(ByteBuffer(string: answer + "\r\n"))
                    if answer.hasPrefix("221") { return }
                }
            }
        }
    }

    private func hear(_ line: String, _ body: inout String?, _ manners: Manners) -> String? {
        if let text = body {
            guard line == "." else {
                body = text + (line.hasPrefix("..") ? String(line.dropFirst()) : line) + "\n"
                return nil
            }
            body = nil
            return state.withLock { state in
                state.mails.append(text)
                return "250 2.0.0 Ok: queued as TOWN\(state.mails.count)"
            }
        }
        switch line.prefix(4).uppercased() {
        case "EHLO", "HELO": return "250 post.test"
        case "MAIL":
            if case .refuse = manners { return "451 4.3.0 Not now" }
            return "250 2.1.0 Ok"
        case "DATA":
            body = ""
            return "354 End data with <CR><LF>.<CR><LF>"
        case "QUIT": return "221 2.0.0 Bye"
        default: return "250 2.0.0 Ok"
        }
    }
}
