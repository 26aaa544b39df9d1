/// One version of one feature of one service on its way to users.
///
/// ```
/// waiting ──started (gate allows)──▶ rollingOut ──completed──▶ live
///    └─────forced (with a reason)──────▲   └──────undone────▶ undone
/// ```
/// Invariants: 1. `rollingOut` is reached only past an allowing verdict or with `forced` set. 2. Evidence and
/// approvals can be added only while waiting. 3. The author's own approval never counts.
package struct Release: Hashable, Sendable, Codable {
    package enum Status: String, Hashable, Sendable, Codable {
        case waiting, rollingOut, live, undone
    }

    package struct Forced: Hashable, Sendable, Codable {
        package var by: String
        package var reason: String
        package var at: Instant
        /// What the gate said at that moment.
        package var objections: [String]
    }

    package static let evidenceLimit = 50

    package var id: String
    package var service: String
    package var feature: String
    package var commit: String
    package var author: String
    package var flag: String
    package var variant: String
    package var createdAt: Instant
    package var status: Status
    package var evidence: [TestEvidence]
    package var approvals: [Approval]
    package var forced: Forced?
    package var endedAt: Instant?

    package var shortCommit: String { String(commit.prefix(12)) }
    package var title: String { "\(feature) \(variant) (\(shortCommit))" }
}

package struct NewRelease: Hashable, Sendable, Codable {
    package var service: String
    package var feature: String
    package var commit: String
    package var author: String
    package var variant: String

    package init(service: String, feature: String, commit: String, author: String, variant: String) {
        self.service = service
        self.feature = feature
        self.commit = commit
        self.author = author
        self.variant = variant
    }

    /// One release a feature, variant and commit: creating it twice is creating it once.
    package var id: String { "\(service)-\(feature)-\(variant)-\(commit.prefix(12))" }
}

package enum ReleaseEvent: Hashable, Sendable, Codable {
    case created(NewRelease)
    case evidenceAdded(TestEvidence)
    case approved(commit: String)
    case started
    case forced(reason: String)
    case rolloutEnded(completed: Bool)
}

extension Release {
    static func step(_ release: Release?, _ event: Event, _ input: StepInput) throws(Refusal) -> Step<Release> {
        guard case .release(let event) = event else { throw Machine.misfit(event, input.subject) }
        if case .created(let new) = event { return try create(release, new, input) }
        guard let release else { throw Refusal(.notFound, "There is no release \(input.subject.id).") }
        guard let policy = input.policy.feature(release.service, release.feature) else {
            throw Refusal(.notFound, "Feature \(release.feature) of \(release.service) is no longer configured.")
        }
        switch event {
        case .created: return Step(release)
        case .evidenceAdded(let evidence): return try release.add(evidence, policy)
        case .approved(let commit): return try release.approve(commit, policy, input)
        case .started: return try release.start(forced: nil, policy, input)
        case .forced(let reason): return try release.start(forced: reason, policy, input)
        case .rolloutEnded(let completed): return release.end(completed, input)
        }
    }

    private static func create(_ known: Release?, _ new: NewRelease, _ input: StepInput) throws(Refusal) -> Step<
        Release
    > {
        if let known { return Step(known) }
        guard let policy = input.policy.feature(new.service, new.feature) else {
            throw Refusal(
                .notFound,
                "Service \(new.service) has no feature '\(new.feature)' in the configuration.")
        }
        guard let flag = policy.flag else {
            throw Refusal(
                .invalid,
                "Feature \(new.feature) stands behind no flag, so it cannot be rolled out by one: add 'flag:'.")
        }
        guard (7...64).contains(new.commit.utf8.count), new.commit.allSatisfy({ $0.isHexDigit }) else {
            throw Refusal(.invalid, "'\(new.commit.prefix(80))' is not a commit: 7 to 64 hexadecimal digits.")
        }
        guard !new.variant.isEmpty, new.variant.utf8.count <= 100 else {
            throw Refusal(.invalid, "Which variant of flag \(flag) does this release serve? Name it.")
        }
        let release = Release(
            id: input.subject.id, service: new.service, feature: new.feature, commit: new.commit.lowercased(),
            author: new.author, flag: flag, variant: new.variant, createdAt: input.now, status: .waiting, evidence: [],
            approvals: [])
        return release.tell("release.created", "Release \(release.title) created by \(new.author).")
    }

    private func add(_ evidence: TestEvidence, _ policy: FeaturePolicy) throws(Refusal) -> Step<Release> {
        guard status == .waiting else { throw Refusal(.conflict, "Release \(id) has already started.") }
        guard self.evidence.count < Release.evidenceLimit else {
            throw Refusal(.conflict, "Release \(id) already holds \(Release.evidenceLimit) reports.")
        }
        if self.evidence.contains(where: { $0.digest == evidence.digest && $0.commit == evidence.commit }) {
            return Step(self)
        }
        var release = self
        release.evidence.append(evidence)
        return release.tell(
            "release.evidence_added",
            "Test report \(evidence.source): \(evidence.cases) cases, \(evidence.failed) failed, "
                + "\(evidence.featureCases) of \(feature).")
    }

    private func approve(_ commit: String, _ policy: FeaturePolicy, _ input: StepInput) throws(Refusal) -> Step<Release>
    {
        guard status == .waiting else { throw Refusal(.conflict, "Release \(id) has already started.") }
        guard input.actor.kind == .person else { throw Refusal(.forbidden, "Only a person can approve a release.") }
        guard input.actor.name != author else {
            throw Refusal(.forbidden, "\(author) wrote this release; someone else has to approve it.")
        }
        guard commit == self.commit else {
            throw Refusal(
                .conflict, "The approval is for commit \(commit.prefix(12)), the release is of \(shortCommit).")
        }
        if approvals.contains(where: { $0.by == input.actor.name }) { return Step(self) }
        var release = self
        release.approvals.append(Approval(by: input.actor.name, at: input.now))
        return release.tell("release.approved", "Release \(title) approved by \(input.actor.name).")
    }

    private func start(
        forced reason: String?, _ policy: FeaturePolicy, _ input: StepInput
    ) throws(Refusal) -> Step<Release> {
        guard status == .waiting else { throw Refusal(.conflict, "Release \(id) has already started.") }
        let verdict = Gate.judge(self, policy)
        var release = self
        if let reason {
            guard !reason.isEmpty else { throw Refusal(.invalid, "Forcing a release past the gate needs a reason.") }
            if !verdict.allowed {
                release.forced = Forced(
                    by: input.actor.name, reason: reason, at: input.now, objections: verdict.objections)
            }
        } else if !verdict.allowed {
            throw Refusal(.conflict, "The gate blocks this release: " + verdict.objections.joined(separator: " "))
        }
        release.status = .rollingOut
        var step = Step(release)
        if let forced = release.forced {
            step.entries.append(
                release.entry(
                    "release.forced",
                    "Release \(title) forced past the gate by \(forced.by): \(forced.reason) "
                        + "The gate had said: \(forced.objections.joined(separator: " "))"))
        } else {
            step.entries.append(
                release.entry(
                    "gate.allowed",
                    "The gate allows \(title): \(verdict.reasons.map(\.text).joined(separator: " "))"))
        }
        let plan = RolloutPlan(
            release: id, service: service, feature: feature, flag: flag, variant: variant,
            stages: policy.rollout.stages,
            proof: policy.proof, forced: release.forced != nil,
            reason: release.forced?.reason ?? "release \(shortCommit)")
        step.forward(.rollout, id, .rollout(.started(plan)), by: input.actor)
        return step
    }

    private func end(_ completed: Bool, _ input: StepInput) -> Step<Release> {
        guard status == .rollingOut || status == .live else { return Step(self) }
        var release = self
        release.status = completed ? .live : .undone
        release.endedAt = input.now
        return release.tell(
            completed ? "release.live" : "release.undone",
            completed ? "Release \(title) reached everyone." : "Release \(title) undone.")
    }

    private func entry(_ kind: String, _ text: String) -> Entry {
        Entry(
            kind, text, service: service, feature: feature, change: Rollout.change(id), data: ["release": .string(id)])
    }

    private func tell(_ kind: String, _ text: String) -> Step<Release> {
        var step = Step(self)
        step.entries = [entry(kind, text)]
        return step
    }
}
