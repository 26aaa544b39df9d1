import Decide
import Synchronization

/// Delivers pages by SMTP through libcurl, on threads of its own.
package final class MailSender: Sendable {
    private let threads: BlockingThreads

    /// - Parameter threads: mails under way at the same time; further ones wait.
    package init(threads: Int = 32) {
        self.threads = BlockingThreads(label: "mainstay.mail", count: threads)
    }

    /// Sends one mail. The proof of delivery is the server's own last reply.
    ///
    /// When the task is cancelled it ends within a second or so, with a temporary outcome.
    package func send(_ page: OutgoingPage, to address: String, via server: MailServer) async -> DeliveryOutcome {
        let mail: MailMessage
        do {
            mail = try MailMessage(page, from: server.from, to: address)
        } catch {
            return .permanent(reason: error.description)
        }
        let cancelled = CancelMark()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                threads.submit {
                    MailTransfer(mail, via: server, isCancelled: { cancelled.isSet })
                        .run { continuation.resume(returning: $0) }
                }
            }
        } onCancel: {
            cancelled.set()
        }
    }
}

private final class CancelMark: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    func set() { flag.store(true, ordering: .relaxed) }
}
