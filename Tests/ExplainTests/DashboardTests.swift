import Decide
import Explain
import Testing

@testable import Record

@Suite("Dashboard")
struct DashboardTests {
    @Test("is well when every check passes and every feature is proven")
    func well() async throws {
        let scene = try await Scene(until: .calm)
        let view = try await DashboardView.load(scene.record, now: scene.now)
        #expect(view.health == .well)
        let service = try #require(view.services.first)
        #expect(service.features.map(\.name) == ["favorites", "posts"])
        #expect(service.checks.map(\.name) == ["api", "database"])
        #expect(service.features[0].checks[0].bars.count == 60)
        #expect(service.features[0].checks[0].runs == 118)
        try await scene.close()
    }

    @Test("is ill while an incident is open, and marks the change and its undoing")
    func ill() async throws {
        let scene = try await Scene(until: .proven)
        let view = try await DashboardView.load(scene.record, now: scene.now)
        #expect(view.health == .ill)
        let service = try #require(view.services.first)
        #expect(service.health == .ill)
        #expect(service.features[0].incident?.incident.id == Scene.incident)
        #expect(service.features[1].health == .well)
        #expect(service.marks.map(\.isUndo) == [false, true])
        #expect(service.activeUsers == 300)
        #expect(view.incidents.first?.doing == "Undone by Mainstay; waiting for the journeys to pass.")
        try await scene.close()
    }

    @Test("does not call well what nobody has looked at for a while")
    func stale() async throws {
        let scene = try await Scene(until: .calm)
        scene.wait(.minutes(10))
        let view = try await DashboardView.load(scene.record, now: scene.now)
        #expect(view.health == .unknown)
        #expect(view.services[0].features[0].checks[0].isStale)
        try await scene.close()
    }

    @Test(
        "a whole is as well as its worst part, and unknown without parts",
        arguments: [
            ([], Health.unknown), ([.well], .well), ([.well, .unknown], .unknown), ([.unknown, .well], .unknown),
            ([.unknown, .ill, .well], .ill), ([.well, .well], .well),
        ] as [([Health], Health)])
    func whole(parts: [Health], expected: Health) {
        #expect(Health.whole(parts) == expected)
    }

    @Test(
        "gives a rare check bars that each hold a run",
        arguments: [
            (Span.seconds(5), Span.minutes(1)), (.minutes(1), .minutes(1)), (.seconds(90), .minutes(2)),
            (.minutes(7), .minutes(10)), (.minutes(50), .minutes(60)), (.hours(9), .minutes(60)),
        ])
    func bars(every: Span, expected: Span) {
        #expect(TimeAxis.hour(endingAt: Scene.start).bar(forEvery: every) == expected)
    }

    @Test("folds samples into bars, and tells mixed from failed and silent")
    func fold() {
        let axis = TimeAxis(endingAt: Scene.start + .seconds(30), bars: 4, of: .minutes(1))
        func sample(_ minute: Int64, _ runs: Int, _ failures: Int) -> CheckSample {
            CheckSample(
                at: axis.start + .minutes(minute), runs: runs, failures: failures, tookAverage: .milliseconds(10),
                tookMax: .milliseconds(20), lastFailure: failures > 0 ? "no" : nil)
        }
        let bars = CheckBar.fold(
            [sample(0, 12, 0), sample(1, 12, 5), sample(3, 2, 2), sample(9, 1, 1)], axis, bar: .minutes(1))
        #expect(bars.map(\.state) == [.passed, .mixed, .silent, .failed])
        #expect(bars[1].lastFailure == "no")
        #expect(axis.position(axis.start) == 0)
        #expect(axis.position(axis.end + .milliseconds(1)) == nil)
    }
}
