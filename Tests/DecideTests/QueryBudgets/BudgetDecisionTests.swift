import Testing

@testable import Decide

@Suite("Decisions in words")
struct BudgetDecisionTests {
    private func decision(_ what: BudgetDecision.What, observed: Bool = false) -> BudgetDecision {
        BudgetDecision(
            at: 100 * second, query: QueryKey(fingerprint: 0xBAD), release: "posts-42", isObserved: observed,
            what: what)
    }

    private func report(isCrowd: Bool = false) -> BudgetDecision.TripReport {
        BudgetDecision.TripReport(
            isCrowd: isCrowd, limit: 2, baseline: 2, usage: 17.46, queued: 12, slots: 20, service: .milliseconds(1_250),
            othersAdmitted: 40, othersLate: 38, cancelled: [SlotToken(index: 3, generation: 7)], until: 700 * second)
    }

    @Test("a trip says which query and release, its share against its budget, what was cancelled, and until when")
    func trip() {
        #expect(
            decision(.tripped(report())).explanation
                == "Query 0000000000000bad (release posts-42) held 17.5 of 20 slots (87 %) in the last second, with 12 "
                + "more waiting, against a budget of 2.0; a call of it takes 1.2 s. Meanwhile 38 of 40 calls of other "
                + "queries waited too long. It is held to 2 slots at a time; 1 running statement (#3.7) was cancelled. "
                + "The limit rises while nobody else waits, and ends after 10 min at the earliest.")
    }

    @Test("a crowd's says that nothing is turned away")
    func crowd() {
        let text = decision(.tripped(report(isCrowd: true))).explanation
        #expect(text.hasSuffix("none is turned away. The limit ends when its demand fits its budget again."))
        #expect(!text.contains("cancelled"))
    }

    @Test(
        "every decision has a sentence and a name",
        arguments: [
            (.cancelled([SlotToken(index: 1, generation: 0)], limit: 1), "cancelled", "held to 1 slot"),
            (.limitRaised(from: 1, to: 2), "limitRaised", "may hold 2 slots at a time again, 1 until now"),
            (.limitHalved(from: 4, to: 2), "limitHalved", "others wait or are slowed"),
            (.released(.timeServed), "released", "no longer limited: its time is over"),
            (.released(.releaseChanged), "released", "another release has started"),
            (.breakerOpened(failures: 15, calls: 20, until: 102 * second), "breakerOpened", "turned away for 2.0 s"),
            (.breakerHalfOpen(probes: 3), "breakerHalfOpen", "3 calls go out"),
            (.breakerClosed, "breakerClosed", "its probes succeeded"),
            (
                .statementCapped(SlotToken(index: 1, generation: 2), age: .seconds(31)), "statementCapped",
                "slot #1.2 is cancelled"
            ),
            (.idleCapped(SlotToken(index: 1, generation: 2), age: .seconds(31)), "idleCapped", "idle for 31.0 s"),
            (.largeResult(rows: 200_000, bytes: 3 << 20), "largeResult", "200000 rows, 3 MB"),
        ] as [(BudgetDecision.What, String, String)])
    func sentences(what: BudgetDecision.What, name: String, part: String) {
        let decision = decision(what)
        #expect(decision.name == name)
        #expect(decision.explanation.hasPrefix("Query 0000000000000bad (release posts-42)"))
        #expect(decision.explanation.contains(part))
        #expect(decision.explanation.hasSuffix("."))
    }

    @Test("observed ones say so", arguments: [(BudgetDecision.What.breakerClosed, "breakerClosed")])
    func observed(what: BudgetDecision.What, name: String) {
        #expect(decision(.tripped(report()), observed: true).name == "wouldTrip")
        #expect(decision(what, observed: true).explanation.hasPrefix("Observed only, nothing was done: "))
    }

    @Test("a long list of cancelled statements is cut")
    func long() {
        let tokens = (0..<25).map { SlotToken(index: Int32($0), generation: 0) }
        let text = decision(.cancelled(tokens, limit: 2)).explanation
        #expect(text.contains("25 running statements (#0.0, #1.0"))
        #expect(text.contains("#9.0 and 15 more) were cancelled"))
    }
}
