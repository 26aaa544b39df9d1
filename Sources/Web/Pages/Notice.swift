import Decide
import HTTPTypes

/// One sentence above a page: what was just done, or why it was not.
struct Notice {
    var tone: Tone
    var icon: String
    var text: String
    var status: HTTPResponse.Status = .ok

    /// What an address may say was done (`?done=acknowledged`): fixed words only, so that nobody can put words into
    /// Mainstay's mouth by a link.
    private static let done: [String: String] = [
        "acknowledged": "Acknowledged: nobody else is called about this incident.",
        "undone": "Undone: everyone has what they had before. The journeys run again now.",
        "resolved": "Resolved.",
        "reviewed": "Reviewed.",
        "noted": "Noted.",
        "changed": "Changed: every connected client has it within a moment.",
        "approved": "Approved.",
        "started": "Started: it goes out step by step.",
        "forced": "Forced past the gate. This is in the timeline, with your reason.",
        "passed": "Run now: it passes.",
        "failed": "Run now: it fails. See below.",
        "paused": "Paused: no new transaction begins, and clients wait. It ends when somebody resumes it, or by itself"
            + " after guard.timeouts.pause; a client that waits longer than guard.timeouts.queue is refused.",
        "resumed": "Resumed: clients that waited go on.",
        "reloaded": "Reloaded: the guard's settings are those of the file now.",
        "password": "Password changed; all other sessions were ended.",
        "account": "Account changed.",
        "rule-made": "Rule made: every guard has it within a moment.",
        "rule-removed": "Rule removed: every guard forgets it within a moment.",
        "revoked": "Token revoked: it no longer works.",
    ]

    static func done(_ word: String?) -> Notice? {
        word.flatMap { done[$0] }.map { Notice(tone: .well, icon: "ok", text: $0) }
    }

    /// For what was refused; nil for errors that are not the asker's to know.
    static func refusal(_ error: any Error) -> Notice? {
        switch error {
        case let refusal as Refusal: Notice(Problem(refusal))
        case let problem as Problem where problem.status.code < 500: Notice(problem)
        default: nil
        }
    }

    private init(_ problem: Problem) {
        self.init(tone: .warn, icon: "ill", text: problem.detail, status: problem.status)
    }

    init(tone: Tone, icon: String, text: String, status: HTTPResponse.Status = .ok) {
        self.tone = tone
        self.icon = icon
        self.text = text
        self.status = status
    }
}
