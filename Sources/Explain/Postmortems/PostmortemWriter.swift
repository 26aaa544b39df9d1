import Decide
import Record

/// Puts an incident into words, section by section. Pure.
struct PostmortemWriter {
    typealias Prose = PostmortemDocument.Prose
    typealias Block = PostmortemDocument.Block

    let view: IncidentView
    let policy: Policy
    let now: Instant

    var incident: Incident { view.incident }
    var times: IncidentTimes { view.times }
    var cause: IncidentCause? { incident.cause }

    var document: PostmortemDocument {
        let lessons = Lessons(view, policy)
        return PostmortemDocument(
            title: "Postmortem: \(incident.title)",
            sections: [
                .init(title: "Incident", blocks: [facts]),
                .init(title: "Summary", blocks: [.paragraph(summary)]),
                .init(title: "Impact", blocks: [impact]),
                .init(title: "Key times", blocks: [keyTimes]),
                .init(title: "Root cause", blocks: rootCause),
                .init(title: "Why the gate did not stop it", blocks: gate),
                .init(title: "Detection", blocks: detection),
                .init(title: "Response", blocks: response),
                .init(title: "Timeline", blocks: [timeline]),
                .init(
                    title: "What went well", blocks: [Self.list(lessons.well, orElse: "Nothing that the record shows.")]
                ),
                .init(
                    title: "What to improve",
                    blocks: [Self.list(lessons.improvements.map(\.finding), orElse: "Nothing that the record shows.")]),
                .init(title: "Action items", blocks: actionItems(lessons)),
            ])
    }

    private var facts: Block {
        .table(
            head: ["", ""],
            rows: [
                ["Incident", "\(link: incident.id, Links.incident(incident.id))"],
                ["Service and feature", "\(incident.service), \(incident.feature)"],
                ["Owning team", "\(incident.team.isEmpty ? "none" : incident.team)"],
                ["Severity", "\(incident.severity.rawValue)"],
                ["Status", "\(incident.status.rawValue)"],
                ["Written", "\(now), from the record alone"],
            ])
    }

    // MARK: Summary

    private var summary: Prose {
        var prose: Prose = "\(summaryOfCause)"
        if let alert = incident.alerts.min(by: { $0.since < $1.since }) {
            prose.inlines += ("From \(incident.troubleSince) on: \(sentence(alert.words)) " as Prose).inlines
        }
        prose.inlines += summaryOfDetection.inlines
        prose.inlines += summaryOfEnd.inlines
        prose.inlines += (" Users exposed: \(incident.exposureWords)." as Prose).inlines
        return prose
    }

    private var summaryOfCause: Prose {
        guard let cause else { return "No change is known to have caused this. " }
        let change = cause.change
        let why: Prose = change.forced ? ", forced past the gate" : ""
        return "At \(change.at) \(change.actor.name) made a change: \(change.title)\(why). "
    }

    private var summaryOfDetection: Prose {
        let how =
            incident.alerts.min { $0.since < $1.since }?.kind == .reports
            ? "Customers reported it" : "Mainstay noticed it"
        guard let elapsed = times.elapsed(.detected) else { return "\(how)." }
        return "\(how) \(elapsed.spoken) after \(originWords)."
    }

    private var summaryOfEnd: Prose {
        var parts: [String] = []
        if times.undone != nil {
            parts.append(
                "the change was undone by \(Set(incident.undone.values).sorted().joined(separator: ", "))\(after(.undone))"
            )
        }
        if times.verified != nil { parts.append("the undo was verified\(after(.verified))") }
        if times.resolved != nil { parts.append("the incident ended\(after(.resolved))") }
        guard !parts.isEmpty else { return " It has not ended yet." }
        return " \(sentence(parts.joined(separator: ", ")))" + (times.resolved == nil ? " It has not ended yet." : "")
    }

    private func after(_ moment: IncidentTimes.Moment) -> String {
        times.elapsed(moment).map { " after \($0.spoken)" } ?? ""
    }

    private var originWords: String {
        switch times.origin {
        case .firstServed: "the change was first served to a user"
        case .changed: "the change was made (when a user first met it is not known)"
        default: "the first sign of trouble"
        }
    }

    // MARK: Impact and times

    private var impact: Block {
        let exposed = incident.isExposureKnown ? String(incident.usersExposed) : "not known"
        let open: Span? = (times.resolved ?? now) - incident.troubleSince
        var served: Span?
        if let start = times.firstServed, let end = times.undone { served = end - start }
        return .table(
            head: ["Figure", "Value", "From"],
            rows: [
                ["Users exposed", "\(exposed)", "distinct users who met the suspect change"],
                [
                    "Users active", "\(incident.usersActive > 0 ? String(incident.usersActive) : "not known")",
                    "distinct users seen in a quarter of an hour",
                ],
                [
                    "Share of active users", "\(incident.exposedShare.map(percent(basisPoints:)) ?? "not known")",
                    "the two above",
                ],
                [
                    "Customer reports", "\(incident.reports) by \(incident.reporters) people",
                    "reports counted during the incident",
                ],
                ["Time served", "\(served?.spoken ?? "not known")", "first served to a user until undone"],
                [
                    "Duration", "\(open?.spoken ?? "not known")\(times.resolved == nil ? " so far" : "")",
                    "first sign of trouble until \(times.resolved == nil ? "now" : "resolved")",
                ],
            ])
    }

    private var keyTimes: Block {
        var rows: [[Prose]] = times.known.map { moment, at in
            let elapsed = times.elapsed(moment) ?? .zero
            return ["\(moment.title)", "\(at)", "\(elapsed < .zero ? "" : "+")\(elapsed.spoken)"]
        }
        rows += IncidentTimes.Moment.allCases.filter { times[$0] == nil }.map {
            ["\($0.title)", "\(missing($0))", "–"]
        }
        return .table(head: ["Moment", "UTC", "Since \(times.origin.title.lowercased())"], rows: rows)
    }

    private func missing(_ moment: IncidentTimes.Moment) -> String {
        switch moment {
        case .changed, .firstServed: "not known"
        default: incident.status.isOpen ? "not yet" : "did not happen"
        }
    }

    // MARK: Timeline

    private var timeline: Block {
        .list(
            view.timeline.map { line in
                "\(link: "#\(line.id)", Links.entry(line.id)) \(line.at) \(line.entry.text)"
            })
    }

    // MARK: Actions

    private func actionItems(_ lessons: Lessons) -> [Block] {
        let owner = incident.team.isEmpty ? "not assigned" : incident.team
        let items: [Prose] = lessons.improvements.map { "\($0.action) Owner: \(owner). Due: not set." }
        guard !items.isEmpty else { return [.paragraph("None follow from the record; add what the review finds.")] }
        return [
            .paragraph("Proposed from what the record shows; the review decides, names a person and sets a date."),
            .tasks(items),
        ]
    }

    // MARK: Words

    static func list(_ items: [String], orElse nothing: String) -> Block {
        items.isEmpty ? .paragraph("\(nothing)") : .list(items.map { "\($0)" })
    }

    /// With a capital letter and one full stop at the end.
    func sentence(_ text: String) -> String {
        let text = text.prefix(1).uppercased() + text.dropFirst()
        return text.hasSuffix(".") || text.hasSuffix("!") || text.hasSuffix("?") ? text : text + "."
    }
}

extension PostmortemDocument.Prose {
    static func + (lhs: Self, rhs: Self) -> Self {
        var sum = lhs
        sum.inlines += rhs.inlines
        return sum
    }
}
