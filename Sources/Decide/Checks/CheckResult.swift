/// What one run of a check or journey found. A result that is not a pass is a failure: there is no third kind.
package struct CheckResult: Hashable, Sendable, Codable {
    /// `service/name`.
    package var check: String
    package var startedAt: Instant
    package var finishedAt: Instant
    /// Nil: passed.
    package var failure: CheckFailure?
    /// Every step that ran, in order, clean-up steps last. Empty for checks without steps.
    package var steps: [StepResult]
    /// Variants that were forced for the synthetic user, by flag key; empty for a run as any user would have it.
    package var forced: [String: String]

    package var passed: Bool { failure == nil }
    package var took: Span { finishedAt - startedAt }

    package init(
        check: String, startedAt: Instant, finishedAt: Instant, failure: CheckFailure?, steps: [StepResult] = [],
        forced: [String: String] = [:]
    ) {
        self.check = check
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.failure = failure
        self.steps = steps
        self.forced = forced
    }
}

/// Why a check failed, in words that can stand in a page: `the row is in the database: n is 0, expected 1`.
package struct CheckFailure: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable {
        /// The service answered and the answer is wrong.
        case assertion
        /// No answer: refused, reset, name not found.
        case unreachable
        /// The deadline passed.
        case timeout
        /// The check itself is wrong (bad SQL, unknown variable): its owner must mend it; the service is not accused.
        case definition
        /// A clean-up step failed: what the journey made may still be there.
        case cleanUp
        /// Nothing was heard in time (heartbeats).
        case silence
    }

    package var kind: Kind
    /// Name of the step that failed; nil for checks without steps.
    package var step: String?
    /// One sentence.
    package var message: String

    package init(kind: Kind, step: String?, message: String) {
        self.kind = kind
        self.step = step
        self.message = message
    }

    package var sentence: String { step.map { "\($0): \(message)" } ?? message }
}

/// One step of a journey as it went.
package struct StepResult: Hashable, Sendable, Codable {
    package var name: String
    /// `PUT /api/favorites/42 → 201`, `SELECT … → 1 row`; never holds secrets.
    package var did: String
    package var took: Span
    /// Runs of an `eventually` step; 1 otherwise.
    package var attempts: Int
    /// Nil: passed.
    package var failure: String?

    package init(name: String, did: String, took: Span, attempts: Int = 1, failure: String? = nil) {
        self.name = name
        self.did = did
        self.took = took
        self.attempts = attempts
        self.failure = failure
    }
}
