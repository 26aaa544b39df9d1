import AsyncHTTPClient
import Decide
import Foundation
import NIOCore

/// The story of a drill: crowd in, gate asked, release out, watched until it is over.
struct DrillScenario: Sendable {
    let plan: DrillPlan
    let stage: DrillStage
    let crowd: Crowd
    let mail: MailSink
    let console: DrillConsole

    private static let startLimit: Duration = .seconds(30)

    func run() async throws -> DrillReport {
        let began = ContinuousClock.now
        try await limited(to: Self.startLimit, "the services did not start") { try await stage.ready() }
        console.step("Storefront at \(stage.storefront), Mainstay at \(stage.mainstay)")
        return try await withThrowingTaskGroup(of: DrillReport?.self) { group in
            group.addTask {
                await crowd.run()
                return nil
            }
            group.addTask { try await story(began) }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let report = outcome { return report }
            }
            throw DrillPlanError(description: "the crowd left before the drill was over")
        }
    }

    private func story(_ began: ContinuousClock.Instant) async throws -> DrillReport {
        let api = MainstayAPI(url: stage.mainstay, token: stage.token)
        try await waitForCrowd(api)
        var report = DrillReport(scenario: plan.scenario)
        report.original = plan.original.map(DrillReport.Original.init)
        let release = try await self.release(api, &report)
        let watch = DrillWatch(plan: plan, stage: stage, api: api, mail: mail, console: console, release: release)
        let deadline = began + plan.limit.duration - .seconds(3)
        let story = try await watch.run(until: deadline)
        try await measure(story, api, &report)
        let seconds = (ContinuousClock.now - began) / .milliseconds(100)
        report.took = (seconds / 10 * 10).rounded() / 10
        report.failures += plan.expect.unmet(by: report)
        return report
    }

    /// Everyone signed in, seen active by Mainstay, and journeys passing as things are.
    private func waitForCrowd(_ api: MainstayAPI) async throws {
        try await limited(to: .seconds(40), "the crowd did not get in: \(crowd.tally.lastFailure ?? "no failures")") {
            while crowd.tally.signedIn < plan.users { try await Task.sleep(for: .milliseconds(100)) }
        }
        let busy = crowd.tally.requests
        try await limited(to: .seconds(20), "the crowd does not get going") {
            while crowd.tally.requests < busy + plan.users * 2 { try await Task.sleep(for: .milliseconds(100)) }
        }
        if plan.journeys {
            try await limited(to: .seconds(20), "the journeys do not pass before the release") {
                while try await !journeysPass(api) { try await Task.sleep(for: .milliseconds(200)) }
            }
        }
        console.step("\(plan.users) users signed in and busy" + (plan.journeys ? "; the journeys pass" : ""))
    }

    private func journeysPass(_ api: MainstayAPI) async throws -> Bool {
        let checks = try await api.get("/api/v1/checks")["items"]?.array ?? []
        return !checks.isEmpty && checks.allSatisfy { $0["status"]?.string == "passing" }
    }

    // MARK: Release

    /// Creates the release, asks the gate, and starts the rollout; returns the release's id.
    private func release(_ api: MainstayAPI, _ report: inout DrillReport) async throws -> String {
        let wanted = plan.release
        let created = try await api.post(
            "/api/v1/releases",
            .object([
                "service": "storefront", "feature": .string(wanted.feature), "commit": .string(wanted.commit),
                "variant": .string(wanted.variant), "author": .string(wanted.author),
            ]))
        guard let id = created["id"]?.string else { throw DrillPlanError(description: "no release id in the answer") }
        let path = "/api/v1/releases/\(MainstayAPI.segment(id))"
        console.step("Release \(wanted.feature) \(wanted.variant) by \(wanted.author)")
        if wanted.evidence {
            try await api.post(
                "\(path)/evidence?source=junit.xml", bytes: Array(Self.passingTests(wanted).utf8),
                type: "application/xml")
            try await api.post("\(path)/approve", .object(["commit": .string(wanted.commit)]))
        }
        do {
            try await api.post("\(path)/start", .object([:]))
            console.step("The gate allows it")
        } catch let failure as MainstayAPI.Failure where failure.status == 409 {
            report.blockedByGate = true
            console.step("The gate blocks it:")
            for reason in failure.reasons { console.say("      ✗ \(reason)") }
            guard let force = wanted.force else { return id }
            try await api.post("\(path)/start", .object(["force": true, "reason": .string(force)]))
            console.step("Forced past the gate: “\(force)”")
        }
        console.say("")
        return id
    }

    private static func passingTests(_ release: DrillPlan.Release) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites><testsuite name="\(release.feature)">
        <testcase classname="\(release.feature)Tests" name="stores a row" time="0.01"/>
        <testcase classname="\(release.feature)Tests" name="adding twice stores one row" time="0.01"/>
        <testcase classname="\(release.feature)Tests" name="the list shows what was added" time="0.02"/>
        </testsuite></testsuites>
        """
    }

    // MARK: Figures

    private func measure(_ story: DrillWatch.Story, _ api: MainstayAPI, _ report: inout DrillReport) async throws {
        func seconds(_ instant: Instant?) -> Double? {
            guard let instant, let start = story.servedAt else { return nil }
            return Double((instant - start).milliseconds) / 1_000
        }
        report.detectedAfterS = seconds(story.detectedAt)
        report.pagedAfterS = seconds(story.pagedAt)
        report.undoneAfterS = seconds(story.undoneAt)
        report.verifiedAfterS = seconds(story.verifiedAt)
        report.resolvedAfterS = seconds(story.resolvedAt)
        report.completedAfterS = seconds(story.completedAt)
        report.reachedShare = Double(story.share) / 10_000
        report.wrongUndos = isHealthy ? story.undos : max(0, story.undos - 1)
        let tally = crowd.tally
        report.usersActive = tally.signedIn
        report.reports = tally.reportsDelivered
        report.requests = tally.requests
        report.requestFailures = tally.failures
        if let incident = story.incident {
            let detail = try await api.get("/api/v1/incidents/\(MainstayAPI.segment(incident))")
            report.usersActive = max(report.usersActive, Int(detail["usersActive"]?.integer ?? 0))
            report.usersAffected = max(Int(detail["usersExposed"]?.integer ?? 0), tally.fooled.count)
            report.suspect = suspect(in: detail, story.release)
        }
        report.affectedShare =
            report.usersActive == 0
            ? 0 : (Double(report.usersAffected) / Double(report.usersActive) * 10_000).rounded() / 10_000
        report.lostEvents = try await lost(api, tally)
    }

    /// A drill that expects the rollout to reach everyone releases something good: any undo is wrong.
    private var isHealthy: Bool { plan.end == .completed }

    private func suspect(in incident: JSONValue, _ release: String) -> DrillReport.SuspectFound? {
        let suspects = incident["suspects"]?.array ?? []
        guard let index = suspects.firstIndex(where: { $0["change"]?["release"]?.string == release }) else {
            return nil
        }
        let found = suspects[index]
        return DrillReport.SuspectFound(
            kind: found["change"]?["kind"]?.string ?? "", name: found["change"]?["title"]?.string ?? "",
            rank: index + 1, proof: found["verdict"]?.string == "proven")
    }

    /// What was answered with success and is not in the record: reports, and gaps in the timeline.
    private func lost(_ api: MainstayAPI, _ tally: Crowd.Tally) async throws -> Int {
        var ids: [Int64] = []
        var reports = 0
        var after: Int64 = 0
        while true {
            let lines = try await api.get("/api/v1/timeline?after=\(after)&limit=200")["items"]?.array ?? []
            ids += lines.compactMap { $0["id"]?.integer }
            reports += lines.count { $0["kind"]?.string == "report.received" }
            guard let last = ids.last, last > after, lines.count == 200 else { break }
            after = last
        }
        let gaps = Int(ids.last ?? 0) - ids.count
        return max(0, tally.reportsDelivered - reports) + max(0, gaps)
    }

    private func limited<Value: Sendable>(
        to limit: Duration, _ complaint: @autoclosure @escaping @Sendable () -> String,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let outcome = try await group.next(), let value = outcome else {
                throw DrillPlanError(description: "within \(limit): \(complaint())")
            }
            return value
        }
    }
}
