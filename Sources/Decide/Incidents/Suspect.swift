/// A change ranked as the cause of an incident, with its evidence in words.
package struct Suspect: Hashable, Sendable, Codable {
    /// What the controlled trial said.
    package enum Verdict: String, Hashable, Sendable, Codable {
        /// With the old variant the journey passes, with the new one it fails: proof.
        case proven
        /// Both pass: it is not the variant as such.
        case cleared
        /// Both fail: the variant makes no difference.
        case noDifference
    }

    package var change: Change
    package var score: Double
    /// Why it is suspected, strongest first.
    package var reasons: [String]
    package var verdict: Verdict?
    /// Distinct users who met the change's new variant; nil when it is not known.
    package var exposedUsers: Int?

    package var isProven: Bool { verdict == .proven }
}

package enum Suspects {
    package static let limit = 10

    /// Ranks what changed before trouble began.
    ///
    /// - Parameters:
    ///   - releases: those that sent the queries which a guard holds back.
    ///   - services: all there are: a program's name in a release may be one of them.
    ///
    /// Weights, largest first: proof by experiment decides alone (+100, −50 when it makes no difference or is
    /// cleared); the release sent the query that is held back 60: more than what can be said for a change of no such
    /// release, and no proof, because a release may well send a query that was always there; the same feature 30;
    /// nearness in time up to 25, halving every ten minutes; users met it 15; forced past the gate 10; the same
    /// service 5. Changes of other services stay in the list, below.
    package static func rank(
        alert: Alert, service: String, feature: String, facts: Facts, verdicts: [String: Suspect.Verdict],
        releases: [String] = [], services: Set<String> = []
    ) -> [Suspect] {
        facts.changes
            .filter { $0.at <= alert.seenAt && ($0.undoneAt.map { $0 > alert.since } ?? true) }
            .map { change in
                weigh(
                    change, alert: alert, service: service, feature: feature, facts: facts,
                    verdict: verdicts[change.id],
                    sentBy: releases.first { change.isRelease(named: $0, services: services) })
            }
            .sorted { ($0.score, $0.change.at, $0.change.id) > ($1.score, $1.change.at, $1.change.id) }
            .prefix(limit).map { $0 }
    }

    private static func weigh(
        _ change: Change, alert: Alert, service: String, feature: String, facts: Facts, verdict: Suspect.Verdict?,
        sentBy release: String?
    ) -> Suspect {
        var suspect = Suspect(change: change, score: 0, reasons: [], verdict: verdict, exposedUsers: nil)
        func add(_ weight: Double, _ reason: String) {
            suspect.score += weight
            suspect.reasons.append(reason)
        }
        switch verdict {
        case .proven: add(100, proof(change))
        case .cleared: add(-50, "cleared by experiment: the journey passes with the old and with the new variant")
        case .noDifference: add(-50, "the journey fails with the old variant too")
        case nil: break
        }
        if let release { add(60, "the query was sent by release \(release)") }
        let age = max(.zero, alert.since - change.at)
        add(25 * halving(age), "\(age.spoken) before trouble began")
        if change.service == service {
            add(5, change.feature == feature ? "changes \(feature) itself" : "changes the same service")
            if change.feature == feature { suspect.score += 30 }
        }
        if let step = change.flagStep {
            let users = exposed(change, facts)
            suspect.exposedUsers = users
            if users > 0 { add(15, "\(users) \(users == 1 ? "user" : "users") met \(step.newVariant)") }
        }
        if change.forced { add(10, "was forced past the gate") }
        return suspect
    }

    static func proof(_ change: Change) -> String {
        guard let step = change.flagStep else { return "proven by experiment" }
        return "proven by experiment: with \(step.oldVariant) the journey passes, with \(step.newVariant) it fails"
    }

    /// 1 at zero, ½ at ten minutes, ¼ at twenty; linear between, so that no mathematics library is needed.
    static func halving(_ age: Span) -> Double {
        let halfLife = Span.minutes(10).milliseconds
        let (whole, rest) = max(0, age.milliseconds).quotientAndRemainder(dividingBy: halfLife)
        guard whole < 40 else { return 0 }
        let base = 1 / Double(UInt64(1) << UInt64(whole))
        return base * (1 - 0.5 * Double(rest) / Double(halfLife))
    }

    /// Distinct users who met the change's variant. Stages of one rollout are counted together: the same people stay
    /// in as the share grows, so the widest count stands for all.
    package static func exposed(_ change: Change, _ facts: Facts) -> Int {
        guard let step = change.flagStep else { return 0 }
        return facts.exposures
            .filter {
                $0.service == change.service && $0.flag == step.flag && $0.variant == step.newVariant
                    && $0.version >= step.version
            }
            .map(\.users).max() ?? 0
    }
}
