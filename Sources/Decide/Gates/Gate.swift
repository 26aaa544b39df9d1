/// What a test report proves, bound to one commit.
package struct TestEvidence: Hashable, Sendable, Codable {
    package var commit: String
    /// File name of the report.
    package var source: String
    /// SHA-256 of the report's bytes, hexadecimal.
    package var digest: String
    package var cases: Int
    package var skipped: Int
    /// Names of the cases that failed or ended in error, at most 50.
    package var failing: [String]
    package var failed: Int
    /// Cases of the release's own feature that ran (passed or failed; skipped ones prove nothing).
    package var featureCases: Int
    package var featureFailed: Int

    package init(
        commit: String, source: String, digest: String, cases: Int, skipped: Int, failing: [String], failed: Int,
        featureCases: Int, featureFailed: Int
    ) {
        self.commit = commit
        self.source = source
        self.digest = digest
        self.cases = cases
        self.skipped = skipped
        self.failing = failing
        self.failed = failed
        self.featureCases = featureCases
        self.featureFailed = featureFailed
    }
}

package struct Approval: Hashable, Sendable, Codable {
    package var by: String
    package var at: Instant
}

/// The gate's answer: allow only when every reason holds. All reasons are listed, the good ones too.
package struct GateVerdict: Hashable, Sendable, Codable {
    package struct Reason: Hashable, Sendable, Codable {
        package var rule: String
        package var holds: Bool
        package var text: String
    }

    package var reasons: [Reason]

    package var allowed: Bool { reasons.allSatisfy(\.holds) }
    package var objections: [String] { reasons.filter { !$0.holds }.map(\.text) }
}

package enum Gate {
    package static func judge(_ release: Release, _ policy: FeaturePolicy) -> GateVerdict {
        var reasons: [GateVerdict.Reason] = []
        if policy.gate.testsRequired { reasons.append(tests(release)) }
        if policy.gate.approvals > 0 { reasons.append(approvals(release, policy.gate.approvals)) }
        return GateVerdict(reasons: reasons)
    }

    private static func tests(_ release: Release) -> GateVerdict.Reason {
        func reason(_ holds: Bool, _ text: String) -> GateVerdict.Reason {
            GateVerdict.Reason(rule: "tests", holds: holds, text: text)
        }
        let bound = release.evidence.filter { $0.commit == release.commit }
        guard !bound.isEmpty else {
            let foreign = release.evidence.count
            return reason(
                false,
                foreign == 0
                    ? "No test evidence for \(release.feature): attach a JUnit report of commit \(release.shortCommit)."
                    : "The test evidence is of another commit, not of \(release.shortCommit).")
        }
        let failed = bound.reduce(0) { $0 + $1.failed }
        guard failed == 0 else {
            let names = bound.flatMap(\.failing).prefix(3).joined(separator: ", ")
            return reason(false, "\(failed) failing \(failed == 1 ? "test" : "tests"): \(names).")
        }
        let cases = bound.reduce(0) { $0 + $1.featureCases }
        guard cases > 0 else {
            let all = bound.reduce(0) { $0 + $1.cases - $1.skipped }
            return reason(false, "\(all) tests ran, but none of them is about \(release.feature).")
        }
        return reason(true, "\(cases) passing \(cases == 1 ? "test" : "tests") of \(release.feature), none failing.")
    }

    private static func approvals(_ release: Release, _ required: Int) -> GateVerdict.Reason {
        let others = Set(release.approvals.map(\.by)).subtracting([release.author])
        let text =
            others.count >= required
            ? "Approved by \(others.sorted().joined(separator: ", "))."
            : "\(others.count) of \(required) approvals by someone other than the author, \(release.author)."
        return GateVerdict.Reason(rule: "approvals", holds: others.count >= required, text: text)
    }
}
