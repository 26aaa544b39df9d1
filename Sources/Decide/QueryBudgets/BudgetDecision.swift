/// One thing that the budgets decided, with everything that a person needs to understand it. Times are nanoseconds of
/// the monotonic time that `tick` was given.
package struct BudgetDecision: Hashable, Sendable {
    package enum What: Hashable, Sendable {
        case tripped(TripReport)
        /// More of a tripped query's statements, as they grew old enough.
        case cancelled([SlotToken], limit: Int)
        case limitRaised(from: Int, to: Int)
        case limitHalved(from: Int, to: Int)
        case released(ReleaseReason)
        case breakerOpened(failures: Int, calls: Int, until: Int64)
        case breakerHalfOpen(probes: Int)
        case breakerClosed
        case statementCapped(SlotToken, age: Span)
        case idleCapped(SlotToken, age: Span)
        case largeResult(rows: Int64, bytes: Int64)
        case ruleExpired(BudgetRule)
    }

    package enum ReleaseReason: String, Hashable, Sendable, Codable {
        case timeServed, unlimited, fitsAgain, releaseChanged, byHand
    }

    package struct TripReport: Hashable, Sendable {
        /// A good query that is called far more often than usual: it waits, nothing of it is turned away.
        package var isCrowd: Bool
        /// Slots that it may hold from now on.
        package var limit: Int
        /// Its budget, in slots.
        package var baseline: Double
        /// What it held in the last second, in slots, and how many of it were waiting.
        package var usage: Double
        package var queued: Int
        package var slots: Int
        /// Its mean service time.
        package var service: Span
        /// Admissions of other queries over the last second or two, and how many of those waited too long.
        package var othersAdmitted: Int
        package var othersLate: Int
        package var cancelled: [SlotToken]
        /// The earliest release.
        package var until: Int64

        package var shareOfSlots: Double { usage / Double(max(1, slots)) }
    }

    package var at: Int64
    /// Nil when it is about no single query.
    package var query: QueryKey?
    /// The release of the query's latest call, when its client named one.
    package var release: String?
    /// In `observe` mode: it was decided, and not done.
    package var isObserved: Bool
    package var what: What

    /// For metrics, logs and events: `tripped`, or `wouldTrip` when observed.
    package var name: String {
        switch what {
        case .tripped: isObserved ? "wouldTrip" : "tripped"
        case .cancelled: isObserved ? "wouldCancel" : "cancelled"
        case .limitRaised: "limitRaised"
        case .limitHalved: "limitHalved"
        case .released: "released"
        case .breakerOpened: isObserved ? "breakerWouldOpen" : "breakerOpened"
        case .breakerHalfOpen: "breakerHalfOpen"
        case .breakerClosed: "breakerClosed"
        case .statementCapped: isObserved ? "wouldCapStatement" : "statementCapped"
        case .idleCapped: isObserved ? "wouldCapIdle" : "idleCapped"
        case .largeResult: "largeResult"
        case .ruleExpired: "ruleExpired"
        }
    }
}

extension BudgetDecision {
    /// Plain English, in sentences. Times are lengths: the caller knows the time of day.
    package var explanation: String {
        isObserved ? "Observed only, nothing was done: \(sentence)" : sentence
    }

    private var subject: String {
        guard let query else { return "The pool" }
        return "Query \(query.hex)" + (release.map { " (release \($0))" } ?? "")
    }

    private var sentence: String {
        switch what {
        case .tripped(let report): explain(report)
        case .cancelled(let tokens, let limit):
            "\(subject): \(Self.statements(tokens)) cancelled, because it is held to \(Self.slots(limit))."
        case .limitRaised(let from, let to):
            "\(subject) may hold \(Self.slots(to)) at a time again, \(from) until now: nobody suffers from it."
        case .limitHalved(let from, let to):
            "\(subject) is held to \(Self.slots(to)) at a time, \(from) until now: others wait or are slowed."
        case .released(let reason): "\(subject) is no longer limited: \(Self.words(reason))."
        case .breakerOpened(let failures, let calls, let until):
            "\(subject): \(failures) of its last \(calls) calls ended for want of room in the database "
                + "(57014 or 53xxx). It is turned away for \(Span(nanoseconds: until - at).spoken); "
                + "then a few probes decide."
        case .breakerHalfOpen(let probes):
            "\(subject) is let in again on probation: \(probes) calls go out, and all of them must succeed."
        case .breakerClosed: "\(subject) is let in again: its probes succeeded."
        case .statementCapped(let token, let age):
            "\(subject) has run for \(age.spoken), which is longer than any statement may: slot \(token) is cancelled."
        case .idleCapped(let token, let age):
            "\(subject): its transaction on slot \(token) has been idle for \(age.spoken) and is ended."
        case .largeResult(let rows, let bytes):
            "\(subject) returned \(rows) rows, \(bytes / 1_048_576) MB; it may lack a LIMIT. Nothing was done."
        case .ruleExpired(let rule): "A rule by hand has ended after \(rule.lasts.spoken): \(rule.reason)."
        }
    }

    private func explain(_ report: TripReport) -> String {
        let percent = Int((report.shareOfSlots * 100).rounded())
        var text = "\(subject) held \(Self.decimal(report.usage)) of \(report.slots) slots (\(percent) %) in the last "
        text += "second, with \(report.queued) more waiting, against a budget of \(Self.decimal(report.baseline))"
        if report.service > .zero { text += "; a call of it takes \(report.service.spoken)" }
        text += ". Meanwhile \(report.othersLate) of \(report.othersAdmitted) calls of other queries waited too long. "
        text += "It is held to \(Self.slots(report.limit)) at a time"
        if report.isCrowd {
            return text + ". It is as fast as usual, only called more often: its calls wait, and none is turned away. "
                + "The limit ends when its demand fits its budget again."
        }
        if !report.cancelled.isEmpty { text += "; \(Self.statements(report.cancelled)) cancelled" }
        let until = Span(nanoseconds: report.until - at).spoken
        return text + ". The limit rises while nobody else waits, and ends after \(until) at the earliest."
    }

    private static func words(_ reason: ReleaseReason) -> String {
        switch reason {
        case .timeServed: "its time is over and nothing of it had to be turned away lately"
        case .fitsAgain: "its demand fits its budget again"
        case .unlimited: "it may use every slot without anybody waiting"
        case .releaseChanged: "another release has started"
        case .byHand: "a person decided so"
        }
    }

    private static func slots(_ count: Int) -> String { count == 1 ? "1 slot" : "\(count) slots" }

    private static func statements(_ tokens: [SlotToken]) -> String {
        let named = tokens.prefix(10).map(\.description).joined(separator: ", ")
        let rest = tokens.count > 10 ? " and \(tokens.count - 10) more" : ""
        return tokens.count == 1
            ? "1 running statement (\(named)) was" : "\(tokens.count) running statements (\(named)\(rest)) were"
    }

    private static func decimal(_ value: Double) -> String {
        let tenths = Int((min(max(value, 0), 1e9) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
