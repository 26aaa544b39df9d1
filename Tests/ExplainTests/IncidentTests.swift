import Decide
import Explain
import Record
import Testing

@Suite("Incident views")
struct IncidentTests {
    @Test("finds when the guilty variant was first served, not when another change served it")
    func firstServed() async throws {
        let scene = try await Scene()
        let incident = try #require(try await scene.record.incident(Scene.incident))
        let change = try #require(incident.cause?.change)
        let step = try #require(change.flagStep)
        func exposure(_ variant: String, _ version: Int64, _ at: Instant, service: String = "storefront") -> Exposure {
            Exposure(
                service: service, flag: step.flag, variant: variant, version: version, users: 1, firstAt: at, lastAt: at
            )
        }
        let served = change.at + .milliseconds(250)
        let times = IncidentTimes(
            incident,
            exposures: [
                exposure("v1", step.version, change.at), exposure("v2", step.version - 1, change.at - .hours(1)),
                exposure("v2", step.version, change.at, service: "other"), exposure("v2", step.version + 1, served),
                exposure("v2", step.version + 4, change.at + .hours(3)),
            ], pages: [])
        #expect(times.firstServed == served)
        #expect(times.origin == .firstServed)
        #expect(times.paged == nil)
        #expect(times.elapsed(.paged) == nil)
        #expect(times.elapsed(.detected) == incident.openedAt - served)
        let later = IncidentTimes(
            incident, exposures: [exposure("v2", step.version + 4, change.at + .hours(3))], pages: [])
        #expect(later.firstServed == nil)
        #expect(later.origin == .changed)
        try await scene.close()
    }

    @Test("puts moments in the order in which they happened")
    func order() async throws {
        let scene = try await Scene()
        let incident = try #require(try await scene.record.incident(Scene.incident))
        let times = try await IncidentTimes.load(incident, scene.record)
        let order: [IncidentTimes.Moment] = [
            .changed, .firstServed, .troubleBegan, .detected, .paged, .undone, .acknowledged, .verified, .resolved,
        ]
        let known = order.compactMap { times[$0] }
        #expect(known.count == order.count)
        #expect(known == known.sorted())
        #expect(times.known.map(\.moment) == order)
        try await scene.close()
    }

    @Test("tells a step's name from what it found, so that a failure does not read like its opposite")
    func words() async throws {
        let scene = try await Scene(until: .open)
        let alert = try #require(try await scene.record.incident(Scene.incident)?.alerts.first)
        #expect(alert.words == "“the row is in the database” failed: n is 0, expected 1")
        let silence = CheckFailure(kind: .silence, step: nil, message: "nothing heard for 2 min")
        #expect(silence.words == "nothing heard for 2 min")
        try await scene.close()
    }

    @Test("names a proven change with certainty")
    func cause() async throws {
        let open = try await Scene(until: .open)
        let suspected = try await open.record.incident(Scene.incident)?.cause
        #expect(suspected?.certainty == .suspected)
        try await open.close()
        let proven = try await Scene(until: .proven, undo: .ask)
        let cause = try await proven.record.incident(Scene.incident)?.cause
        #expect(cause?.certainty == .proven)
        #expect(cause?.rank == 1)
        try await proven.close()
    }

    @Test("offers what can be done in each state")
    func choices() async throws {
        let open = try await Scene(until: .open)
        let view = try #require(try await IncidentView.load(Scene.incident, open.record, now: open.now))
        let change = try #require(view.incident.cause?.change)
        #expect(view.choices == [.acknowledge, .undo(change), .resolve, .note])
        #expect(view.incident.exposureWords == "7 of 300 active users (2.33 %)")
        #expect(view.evidence?.steps.count == 3)
        try await open.close()
        let ended = try await Scene()
        let after = try #require(try await IncidentView.load(Scene.incident, ended.record, now: ended.now))
        #expect(after.choices == [.review, .note])
        #expect(after.done.map(\.at) == after.done.map(\.at).sorted())
        try await ended.close()
    }

    @Test("tells the story of the change and the feature, each line once and in order")
    func timeline() async throws {
        let scene = try await Scene()
        let view = try #require(try await IncidentView.load(Scene.incident, scene.record, now: scene.now))
        let kinds = view.timeline.map(\.entry.kind)
        for kind in [
            "release.forced", "flag.rolled_out", "check.failed", "incident.opened", "flag.undone", "incident.resolved",
        ] {
            #expect(kinds.contains(kind))
        }
        let ids = view.timeline.map(\.id)
        #expect(ids == Set(ids).sorted())
        try await scene.close()
    }
}
