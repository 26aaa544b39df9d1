import Decide
import Record

extension PostmortemWriter {
    // MARK: Root cause

    var rootCause: [Block] {
        guard let cause else {
            return [
                .paragraph(
                    "Not known. No change of the last \(policy.suspectWindow.spoken) before trouble began is suspected."
                )
            ]
        }
        let change = cause.change
        var blocks: [Block] = [.paragraph(verdict(cause)), .table(head: ["Change", ""], rows: rows(change))]
        blocks += view.trials.flatMap(trial)
        if let alert = view.evidence, !alert.steps.isEmpty {
            blocks.append(.paragraph("What \(alert.kind.rawValue) \(code: alert.id) did when it failed:"))
            blocks.append(.table(head: ["Step", "Request", "Took", "Result"], rows: alert.steps.map(Self.row)))
        }
        if !cause.suspect.reasons.isEmpty {
            blocks.append(.paragraph("Why it was suspected, rank \(cause.rank) of \(incident.suspects.count):"))
            blocks.append(Self.list(cause.suspect.reasons, orElse: ""))
        }
        return blocks
    }

    private func verdict(_ cause: IncidentCause) -> Prose {
        switch cause.certainty {
        case .proven: "\(strong: "Proven by experiment:") \(cause.change.title)."
        case .undone:
            "\(strong: "Likely, not proven:") \(cause.change.title). It was undone during the incident; no experiment proved it guilty."
        case .suspected: "\(strong: "Not proven.") Most suspected is \(cause.change.title)."
        }
    }

    private func rows(_ change: Change) -> [[Prose]] {
        var rows: [[Prose]] = [
            ["Id", "\(link: change.id, Links.change(change.id))"],
            ["Kind", "\(change.kind.rawValue)"],
            ["Made by", "\(change.actor.name)"],
            ["Made at", "\(change.at)"],
            ["Reason given", "\(change.reason.flatMap { $0.isEmpty ? nil : $0 } ?? "none")"],
        ]
        if let step = change.flagStep {
            rows.append(["Flag", "\(code: step.flag) from \(code: step.oldVariant) to \(code: step.newVariant)"])
        }
        if let release = view.release { rows.append(["Commit", "\(code: release.commit)"]) }
        return rows
    }

    private func trial(_ trial: IncidentView.Trial) -> [Block] {
        let experiment = trial.experiment
        return [
            .paragraph(
                "Experiment on \(trial.change): the same journey \(code: experiment.check), once with each variant. Result: \(experiment.verdictWords)."
            ),
            .table(
                head: ["Variant", "Result", "Found"],
                rows: [
                    leg(experiment.oldVariant, "old", experiment.old),
                    leg(experiment.newVariant, "new", experiment.new),
                ]),
        ]
    }

    private func leg(_ variant: String, _ role: String, _ result: CheckResult?) -> [Prose] {
        guard let result else { return ["\(code: variant) (\(role))", "no answer", "–"] }
        return [
            "\(code: variant) (\(role))", "\(result.passed ? "passed" : "failed") in \(result.took.spoken)",
            "\(result.failure?.sentence ?? "every step held")",
        ]
    }

    private static func row(_ step: StepResult) -> [Prose] {
        ["\(step.name)", "\(code: step.did)", "\(step.took.spoken)", "\(step.failure ?? "held")"]
    }

    // MARK: The gate

    var gate: [Block] {
        guard let cause else { return [.paragraph("Not known: no change is suspected.")] }
        guard cause.change.release != nil else {
            return [
                .paragraph(
                    "It never met the gate: it was a \(cause.change.kind.rawValue) change, made directly and not by a release."
                )
            ]
        }
        guard !cause.change.isExternal else {
            return [.paragraph("It never met the gate: another system released it, and told of it.")]
        }
        guard let release = view.release else {
            return [.paragraph("Not known: the record no longer has release \(code: cause.change.release ?? "").")]
        }
        if let forced = release.forced {
            return [
                .paragraph("It did object, and was overruled: \(forced.by) forced the release at \(forced.at)."),
                .paragraph("Reason given: \(forced.reason)"), .paragraph("What the gate had said:"),
                Self.list(forced.objections, orElse: "Nothing is recorded."),
            ]
        }
        let feature = policy.feature(release.service, release.feature)
        let reasons = feature.map { Gate.judge(release, $0).reasons.map(\.text) } ?? []
        return [
            .paragraph("It allowed the release \(link: release.title, Links.release(release.id)), for these reasons:"),
            Self.list(reasons, orElse: "Not known: the feature is no longer configured."),
        ]
    }

    // MARK: Detection and response

    var detection: [Block] {
        guard let first = incident.alerts.min(by: { $0.since < $1.since }) else { return [.paragraph("Not known.")] }
        let who: Prose =
            switch first.kind {
            case .journey: "By machine: journey \(code: first.id) failed at \(first.since)."
            case .check: "By machine: check \(code: first.id) failed at \(first.since)."
            case .reports: "By customers: \(incident.reporters) of them reported it, the first at \(first.since)."
            case .query: "By machine: the guard of the database saw it at \(first.since)."
            }
        var blocks: [Block] = [.paragraph(who), .paragraph("\(sentence(first.words))")]
        if let earliest = view.reports.last {
            let before = earliest.at < incident.openedAt
            blocks.append(
                .paragraph(
                    "The first customer report came at \(earliest.at), \(before ? "before" : "after") the incident was opened."
                ))
        }
        return blocks
    }

    var response: [Block] {
        var blocks: [Block] = []
        if view.pages.isEmpty {
            blocks.append(.paragraph("Nobody was paged."))
        } else {
            blocks.append(
                .table(
                    head: ["Page to", "By", "Asked for", "Delivered", "Proof"],
                    rows: view.pages.map { page in
                        [
                            "\(page.delivery.target.name)", "\(page.delivery.target.method.rawValue)",
                            "\(page.requestedAt)", page.deliveredAt.map { "\($0)" } ?? "\(page.status.rawValue)",
                            "\(page.proof ?? page.lastFailure ?? "–")",
                        ]
                    }))
        }
        blocks.append(Self.list(view.done.map { "\(RFC3339.format($0.at)) \($0.text)" }, orElse: "Nothing was done."))
        let notes = incident.notes.filter { $0.by != Actor.mainstay.name }
        if !notes.isEmpty {
            blocks.append(.paragraph("Notes:"))
            blocks.append(.list(notes.map { "\($0.at) \($0.by): \($0.text)" }))
        }
        return blocks
    }
}
