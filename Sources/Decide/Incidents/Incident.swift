/// Alerts that belong together, from the first sign to the written-up end.
///
/// ```
/// triggered ──acknowledged──▶ acknowledged
///     └─────────┬────────────────┘
///               ├─ change undone ──▶ mitigated ──▶ resolved ──reviewed──▶ reviewed
///               └─ all alerts resolved ───────────────▲
/// ```
/// Invariants:
/// 1. A change is undone without asking only when an experiment of this incident has proven it and the policy is auto.
/// 2. Each change is undone at most once, each experiment round run at most once.
/// 3. No page goes out after an acknowledgement, but for news of the undo and of the end.
/// 4. `resolved` is reached only with no alert firing, or by a person.
package struct Incident: Hashable, Sendable, Codable {
    package enum Status: String, Hashable, Sendable, Codable, CaseIterable {
        case triggered, acknowledged, mitigated, resolved, reviewed

        package var isOpen: Bool { self != .resolved && self != .reviewed }
    }

    package struct Experiment: Hashable, Sendable, Codable {
        package var change: String
        package var check: String
        package var oldVariant: String
        package var newVariant: String
        package var old: CheckResult?
        package var new: CheckResult?
        package var verdict: Suspect.Verdict?
        package var endedAt: Instant?
        package var failure: String?
    }

    package struct Note: Hashable, Sendable, Codable {
        package var at: Instant
        package var by: String
        package var text: String
    }

    package static let noteLimit = 200

    package var id: String
    package var service: String
    package var feature: String
    package var team: String
    package var severity: Severity
    package var status: Status
    package var title: String
    package var openedAt: Instant
    /// Start of the first failing run or report.
    package var troubleSince: Instant
    package var alerts: [Alert]
    package var suspects: [Suspect]
    package var experiments: [Experiment]
    package var usersExposed: Int
    package var usersActive: Int
    package var reporters: Int
    package var reports: Int
    package var acknowledgedAt: Instant?
    package var acknowledgedBy: String?
    /// Ids of changes that were undone for this incident, with who did it.
    package var undone: [String: String]
    package var undoneAt: Instant?
    /// First pass of a failing journey after the undo.
    package var verifiedAt: Instant?
    package var resolvedAt: Instant?
    package var resolvedBy: String?
    package var reviewedBy: String?
    package var pagedAt: Instant?
    package var rounds: Int
    package var notes: [Note]

    package var firing: [Alert] { alerts.filter { $0.resolvedAt == nil } }
    package var prime: Suspect? { suspects.first }
    package var desk: String { "\(service)/\(feature)" }
}

package enum IncidentEvent: Hashable, Sendable, Codable {
    case opened(service: String, feature: String, Alert)
    case alertAdded(Alert)
    case alertResolved(id: String)
    case journeyPassed(check: String, startedAt: Instant)
    case reportsCounted(reporters: Int, total: Int)
    case experimentEnded(ExperimentOutcome)
    case acknowledged
    case undoRequested(change: String)
    case changeUndone(String)
    case resolved(reason: String)
    case reviewed
    case noted(String)
    case pageDelivered(page: String, to: String)
    case pageFailed(page: String, to: String, reason: String)
}

package struct ExperimentOutcome: Hashable, Sendable, Codable {
    package var check: String
    package var change: String
    package var old: CheckResult?
    package var new: CheckResult?
    /// Why it could not be run.
    package var failure: String?

    package init(check: String, change: String, old: CheckResult?, new: CheckResult?, failure: String? = nil) {
        self.check = check
        self.change = change
        self.old = old
        self.new = new
        self.failure = failure
    }

    /// A clean-up failure of a leg is not the variant's doing, but it is not a clean pass either: no proof.
    package var verdict: Suspect.Verdict? {
        guard let old, let new, failure == nil, Self.isSound(old), Self.isSound(new) else { return nil }
        switch (old.passed, new.passed) {
        case (true, false): return .proven
        case (true, true), (false, true): return .cleared
        case (false, false): return .noDifference
        }
    }

    /// Only an answer counts: a leg that failed because the journey itself is wrong proves nothing.
    private static func isSound(_ result: CheckResult) -> Bool {
        result.failure?.kind != .definition && result.failure?.kind != .cleanUp
    }
}
