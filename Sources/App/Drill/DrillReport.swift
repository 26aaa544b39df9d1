import Decide

/// What a drill found; every time counts from the moment the released variant began to be served.
package struct DrillReport: Sendable, Encodable {
    package struct SuspectFound: Sendable, Encodable {
        package var kind: String
        package var name: String
        package var rank: Int
        package var proof: Bool
    }

    package struct Original: Sendable, Encodable {
        package var name: String
        package var detectedAfterS: Double?
        package var pagedAfterS: Double?
        package var undoneAfterS: Double?
        package var affectedShare: Double

        enum CodingKeys: String, CodingKey {
            case name
            case detectedAfterS = "detected_after_s"
            case pagedAfterS = "paged_after_s"
            case undoneAfterS = "undone_after_s"
            case affectedShare = "affected_share"
        }
    }

    package var scenario: String
    package var blockedByGate = false
    package var detectedAfterS: Double?
    package var pagedAfterS: Double?
    package var undoneAfterS: Double?
    package var verifiedAfterS: Double?
    package var resolvedAfterS: Double?
    package var completedAfterS: Double?
    /// Share of users that the rollout reached, 0…1.
    package var reachedShare: Double = 0
    package var usersActive = 0
    package var usersAffected = 0
    package var affectedShare: Double = 0
    package var suspect: SuspectFound?
    package var wrongUndos = 0
    package var lostEvents = 0
    package var reports = 0
    package var requests = 0
    package var requestFailures = 0
    package var took: Double = 0
    package var original: Original?
    package var failures: [String] = []

    package var passed: Bool { failures.isEmpty }

    enum CodingKeys: String, CodingKey {
        case scenario, suspect, original, reports, requests, failures, passed
        case blockedByGate = "blocked_by_gate"
        case detectedAfterS = "detected_after_s"
        case pagedAfterS = "paged_after_s"
        case undoneAfterS = "undone_after_s"
        case verifiedAfterS = "verified_after_s"
        case resolvedAfterS = "resolved_after_s"
        case completedAfterS = "completed_after_s"
        case reachedShare = "reached_share"
        case usersActive = "users_active"
        case usersAffected = "users_affected"
        case affectedShare = "affected_share"
        case wrongUndos = "wrong_undos"
        case lostEvents = "lost_events"
        case requestFailures = "request_failures"
        case took = "took_s"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(scenario, forKey: .scenario)
        try container.encode(blockedByGate, forKey: .blockedByGate)
        // Absent figures are null, not missing: a reader can tell "did not happen" from "not measured".
        try container.encode(detectedAfterS, forKey: .detectedAfterS)
        try container.encode(pagedAfterS, forKey: .pagedAfterS)
        try container.encode(undoneAfterS, forKey: .undoneAfterS)
        try container.encode(verifiedAfterS, forKey: .verifiedAfterS)
        try container.encode(resolvedAfterS, forKey: .resolvedAfterS)
        try container.encode(completedAfterS, forKey: .completedAfterS)
        try container.encode(reachedShare, forKey: .reachedShare)
        try container.encode(usersActive, forKey: .usersActive)
        try container.encode(usersAffected, forKey: .usersAffected)
        try container.encode(affectedShare, forKey: .affectedShare)
        try container.encode(suspect, forKey: .suspect)
        try container.encode(wrongUndos, forKey: .wrongUndos)
        try container.encode(lostEvents, forKey: .lostEvents)
        try container.encode(reports, forKey: .reports)
        try container.encode(requests, forKey: .requests)
        try container.encode(requestFailures, forKey: .requestFailures)
        try container.encode(took, forKey: .took)
        try container.encode(original, forKey: .original)
        try container.encode(passed, forKey: .passed)
        try container.encode(failures, forKey: .failures)
    }
}

extension DrillReport.Original {
    init(_ original: DrillPlan.Original) {
        func seconds(_ beside: String) -> Double? { original.after(beside).map { Double($0.milliseconds) / 1_000 } }
        name = original.name
        detectedAfterS = seconds("detected")
        pagedAfterS = seconds("paged")
        undoneAfterS = seconds("undone")
        affectedShare = Double(original.affectedShare) / 10_000
    }
}

extension DrillPlan.Expectations {
    /// Every expectation that the report does not meet, in words.
    package func unmet(by report: DrillReport) -> [String] {
        var unmet: [String] = []
        func within(_ name: String, _ limit: Span?, _ seconds: Double?) {
            guard let limit else { return }
            guard let seconds else {
                unmet.append("\(name): expected within \(limit), but it never happened")
                return
            }
            if seconds * 1_000 > Double(limit.milliseconds) {
                unmet.append("\(name): expected within \(limit), took \(seconds) s")
            }
        }
        func equal<Value: Equatable>(_ name: String, _ expected: Value?, _ found: Value?) {
            guard let expected, expected != found else { return }
            unmet.append("\(name): expected \(expected), found \(found.map { "\($0)" } ?? "nothing")")
        }
        equal("blocked by the gate", blockedByGate, report.blockedByGate)
        within("detected", detectedWithin, report.detectedAfterS)
        within("paged", pagedWithin, report.pagedAfterS)
        within("undone", undoneWithin, report.undoneAfterS)
        within("verified", verifiedWithin, report.verifiedAfterS)
        if let limit = affectedShareAtMost, report.affectedShare * 10_000 > Double(limit) {
            unmet.append(
                "affected users: expected at most \(percent(basisPoints: limit)), were "
                    + percent(basisPoints: Int((report.affectedShare * 10_000).rounded())))
        }
        equal("rank of the guilty change", suspectRank, report.suspect?.rank)
        equal("proof", proof, report.suspect?.proof ?? false)
        equal("wrong undos", wrongUndos, report.wrongUndos)
        equal("lost events", lostEvents, report.lostEvents)
        if let reaches, Int((report.reachedShare * 10_000).rounded()) < reaches {
            unmet.append(
                "reach: expected \(percent(basisPoints: reaches)) of users, was "
                    + percent(basisPoints: Int((report.reachedShare * 10_000).rounded())))
        }
        return unmet
    }
}
