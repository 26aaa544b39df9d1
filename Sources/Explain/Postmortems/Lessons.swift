import Decide
import Record

/// What an incident teaches, computed from the record: no opinion goes in, only what was or was not there.
package struct Lessons: Hashable, Sendable {
    package struct Improvement: Hashable, Sendable {
        package var finding: String
        /// What would prevent it, to be tracked.
        package var action: String
    }

    package private(set) var well: [String] = []
    package private(set) var improvements: [Improvement] = []

    package init(_ view: IncidentView, _ policy: Policy) {
        detection(view)
        experiment(view)
        prevention(view)
        ending(view)
        people(view, policy)
    }

    private mutating func improve(_ finding: String, _ action: String) {
        improvements.append(Improvement(finding: finding, action: action))
    }

    private mutating func detection(_ view: IncidentView) {
        let (incident, times) = (view.incident, view.times)
        let first = incident.alerts.min { $0.since < $1.since }
        let after = times.elapsed(.detected).map { ", \($0.spoken) after \(times.origin.title.lowercased())" } ?? ""
        if first?.kind == .reports {
            improve(
                "Customers noticed it, not a machine\(after).",
                view.policy?.proof.isEmpty ?? true
                    ? "Write a journey that proves \(incident.feature) and let it run every few seconds."
                    : "Find out why \(view.policy?.proof.joined(separator: ", ") ?? "the journey") did not notice, and make it."
            )
        } else {
            let earliest = view.reports.last?.at
            let isFirst = earliest.map { $0 > incident.openedAt } ?? true
            well.append("A machine noticed it\(isFirst ? " before any customer reported it" : "")\(after).")
        }
        if view.policy?.proof.isEmpty ?? true, first?.kind != .reports, first?.kind != .query {
            improve(
                "No journey proves that \(incident.feature) works.",
                "Write a journey that does what a user does with \(incident.feature) and proves the result.")
        }
        if incident.alerts.contains(where: \.isDefinitionFault) {
            improve("A check was wrong itself.", "Mend the definition of the check that failed.")
        }
    }

    private mutating func experiment(_ view: IncidentView) {
        let incident = view.incident
        if let proven = view.trials.first(where: { $0.experiment.verdict == .proven }) {
            well.append("An experiment proved the cause: \(proven.experiment.verdictWords).")
        } else if incident.suspects.isEmpty {
            improve(
                "No change was suspected.",
                "Tell Mainstay of every change to \(incident.service): releases, flags, configuration, migrations.")
        } else if view.trials.isEmpty {
            improve(
                "The suspects could not be put to the test.",
                "Put changes of \(incident.feature) behind a flag, so that old and new can be compared.")
        } else {
            improve(
                "The experiment proved nothing.",
                "Find the cause by hand and extend the journey so that it tells the variants apart.")
        }
        if !incident.isExposureKnown {
            improve("How many users were hit is not known.", "Let \(incident.service) report exposures for its flags.")
        }
    }

    private mutating func prevention(_ view: IncidentView) {
        let incident = view.incident
        if let release = view.release {
            let tests = release.evidence.filter { $0.commit == release.commit }.reduce(0) { $0 + $1.featureCases }
            if tests == 0 {
                improve(
                    "The release had no test of \(release.feature).",
                    "Write tests of \(release.feature) that fail with this fault, and attach their report to the release."
                )
            }
            if let forced = release.forced {
                improve(
                    "The release was forced past the gate by \(forced.by).",
                    "Agree on who may force a release, and on what grounds.")
            }
        } else if incident.cause?.change.kind == .flag {
            improve(
                "The change was made directly at the flag, past every gate.",
                "Bring new variants of \(incident.feature) to users by releases with a rollout.")
        }
        if let rollout = view.rollout, rollout.share < FlagRules.everyone {
            well.append("The rollout had reached \(percent(basisPoints: rollout.share)) of users, not all of them.")
        }
    }

    private mutating func ending(_ view: IncidentView) {
        let (incident, times) = (view.incident, view.times)
        let after = times.elapsed(.undone).map { " \($0.spoken) after \(times.origin.title.lowercased())" } ?? ""
        if incident.undone.values.contains(Actor.mainstay.name) {
            well.append("The change was undone by itself\(after).")
        } else if times.undone != nil {
            improve(
                "The change was undone by hand\(after).",
                "Consider letting Mainstay undo proven changes of \(incident.feature) by itself (undo: auto).")
        } else if incident.cause != nil {
            improve("The suspected change was not undone.", "Decide whether it stays, and record why.")
        }
        if times.verified != nil {
            well.append("The undo was verified by the journey that had failed.")
        } else if times.undone != nil {
            improve(
                "No journey verified the undo.",
                "Write a journey that proves \(incident.feature), so that an undo is verified.")
        }
    }

    private mutating func people(_ view: IncidentView, _ policy: Policy) {
        let (incident, times) = (view.incident, view.times)
        let failed = view.pages.filter { $0.status == .failed }
        if !failed.isEmpty {
            let names = Set(failed.map { "\($0.delivery.target.name) by \($0.delivery.target.method.rawValue)" })
            improve(
                "Pages were not delivered: \(names.sorted().joined(separator: ", ")).",
                "Mend these addresses and add a second way to reach the team.")
        }
        guard let paged = times.paged else {
            improve("Nobody was reached by a page.", "Give team \(incident.team) people with working contact methods.")
            return
        }
        well.append(
            "The first page was delivered \(max(.zero, paged - incident.openedAt).spoken) after detection, with proof.")
        let end = times.acknowledged ?? times.resolved
        if let acknowledged = times.acknowledged, acknowledged - paged <= policy.repageAfter {
            well.append("\(incident.acknowledgedBy ?? "Someone") acknowledged within \((acknowledged - paged).spoken).")
        } else if let end, end - paged > policy.repageAfter {
            improve(
                times.acknowledged == nil
                    ? "Nobody acknowledged."
                    : "It was acknowledged late: \((end - paged).spoken) after the first page.",
                "Check who is on call for team \(incident.team) and how they are reached.")
        }
    }
}
