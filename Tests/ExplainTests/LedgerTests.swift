import Decide
import Explain
import Record
import Testing

@Suite("Flags, releases, changes, checks and timeline")
struct LedgerTests {
    @Test("shows a flag's rollout, who met what, and what can be undone")
    func flag() async throws {
        let scene = try await Scene(until: .open)
        let view = try #require(
            try await FlagView.load(service: "storefront", key: "favorites", scene.record, now: scene.now))
        #expect(view.variants.map(\.name) == ["off", "v1", "v2"])
        #expect(view.variants.first { $0.name == "v2" }?.rolledOut == 500)
        #expect(view.variants.first { $0.name == "v2" }?.users == 7)
        #expect(view.undoable?.id == Rollout.change(Scene.release))
        #expect(view.incident != nil)
        #expect(try await FlagView.load(service: "storefront", key: "none", scene.record, now: scene.now) == nil)
        try await scene.close()
    }

    @Test("lists every reason of the gate, and who may approve")
    func release() async throws {
        let scene = try await Scene(until: .calm)
        let view = try #require(try await ReleaseView.load(Scene.release, scene.record, now: scene.now))
        #expect(view.verdict?.reasons.map(\.holds) == [false, false])
        #expect(view.canApprove("ada"))
        #expect(!view.canApprove("lin"))
        #expect(view.stages.map(\.share) == [500, 2_500, 10_000])
        try await scene.close()
    }

    @Test("shows a rollout's stages with their verdicts")
    func stages() async throws {
        let scene = try await Scene(until: .proven)
        let view = try #require(try await ReleaseView.load(Scene.release, scene.record, now: scene.now))
        #expect(view.stages.map(\.verdict) == [.worse, nil, nil])
        #expect(view.stages.filter(\.isPresent).isEmpty)
        try await scene.close()
    }

    @Test("reads the ledger and one change with what followed")
    func changes() async throws {
        let scene = try await Scene()
        let ledger = try await ChangeLedgerView.load(scene.record)
        #expect(ledger.changes.count == 1)
        #expect(ledger.before == nil)
        let change = try #require(try await ChangeView.load(ledger.changes[0].id, scene.record))
        #expect(change.change.undoneAt != nil)
        #expect(change.release?.id == Scene.release)
        #expect(change.timeline.contains { $0.entry.kind == "flag.undone" })
        try await scene.close()
    }

    @Test("shows a check with its last failure; none that is not configured")
    func check() async throws {
        let scene = try await Scene(until: .open)
        let view = try #require(try await CheckView.load(Scene.journey, scene.record, now: scene.now))
        #expect(view.line.health == .ill)
        #expect(view.state?.lastFailure?.steps.count == 3)
        #expect(view.dayBars.count == 48)
        #expect(view.marks.count == 1)
        #expect(try await CheckView.load("storefront/none", scene.record, now: scene.now) == nil)
        try await scene.close()
    }

    @Test("pages the timeline, and finds one line")
    func timeline() async throws {
        let scene = try await Scene()
        let view = try await TimelineView.load(scene.record)
        #expect(view.entries.first?.entry.kind == "incident.resolved" || view.entries.count > 20)
        #expect(view.before == nil)
        #expect(try await TimelineView.entry(1, scene.record)?.entry.kind == "flag.declared")
        #expect(try await TimelineView.entry(999_999, scene.record) == nil)
        #expect(try await TimelineView.entry(-1, scene.record) == nil)
        try await scene.close()
    }

    @Test(
        "puts any id into one segment of a path",
        arguments: [("a b", "a%20b"), ("flag:x/y@3", "flag%3Ax%2Fy%403"), ("ü", "%C3%BC"), ("plain-1", "plain-1")])
    func links(text: String, expected: String) {
        #expect(Links.segment(text) == expected)
    }
}
