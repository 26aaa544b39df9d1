/// What a page says; its links are made when it is sent, because they hold secrets.
package struct PageMessage: Hashable, Sendable, Codable {
    package var title: String
    package var severity: Severity
    package var lines: [String]
    /// Whether it offers to acknowledge.
    package var acknowledge: Bool
    /// The change that it offers to undo.
    package var undo: String?
    package var undoTitle: String?
    package var isResolved: Bool

    package init(
        title: String, severity: Severity, lines: [String], acknowledge: Bool, undo: String?, undoTitle: String?,
        isResolved: Bool
    ) {
        self.title = title
        self.severity = severity
        self.lines = lines
        self.acknowledge = acknowledge
        self.undo = undo
        self.undoTitle = undoTitle
        self.isResolved = isResolved
    }
}

/// One call for one person on one contact method, with its proof of delivery.
///
/// ```
/// queued ──delivered──▶ delivered
///   │ ▲└──attemptFailed (more to come)
///   └────attemptFailed (given up)──▶ failed
/// ```
/// Invariant: a link of it works once.
package struct Page: Hashable, Sendable, Codable {
    package enum Status: String, Hashable, Sendable, Codable {
        case queued, delivered, failed
    }

    /// How long its links work.
    package static let linkLifetime: Span = .hours(24)

    package var id: String
    package var service: String
    package var delivery: Delivery
    package var status: Status
    package var requestedAt: Instant
    package var deliveredAt: Instant?
    /// The receiving side's own words: `250 2.0.0 Ok: queued as 4X…`.
    package var proof: String?
    package var attempts: Int
    package var lastFailure: String?
    package var usedLinks: [String]
}

package enum PageLink: String, Hashable, Sendable, Codable, CaseIterable {
    case acknowledge, undo
}

package enum PageEvent: Hashable, Sendable, Codable {
    case requested(Delivery)
    case delivered(proof: String)
    case attemptFailed(reason: String, isFinal: Bool)
    /// Someone opened a link of this page and pressed its button.
    case linkUsed(PageLink)
}

extension Page {
    static func step(_ page: Page?, _ event: Event, _ input: StepInput) throws(Refusal) -> Step<Page> {
        guard case .page(let event) = event else { throw Machine.misfit(event, input.subject) }
        if case .requested(let delivery) = event { return request(page, delivery, input) }
        guard let page else { throw Refusal(.notFound, "There is no page \(input.subject.id).") }
        switch event {
        case .requested: return Step(page)
        case .delivered(let proof): return page.delivered(proof, input)
        case .attemptFailed(let reason, let isFinal): return page.failed(reason, isFinal, input)
        case .linkUsed(let link): return try page.use(link, input)
        }
    }

    private static func request(_ known: Page?, _ delivery: Delivery, _ input: StepInput) -> Step<Page> {
        if let known { return Step(known) }
        let page = Page(
            id: input.subject.id, service: delivery.service, delivery: delivery, status: .queued,
            requestedAt: input.now,
            attempts: 0, usedLinks: [])
        var step = Step(page)
        step.effects = [.deliver(delivery)]
        return step
    }

    private func delivered(_ proof: String, _ input: StepInput) -> Step<Page> {
        guard status != .delivered else { return Step(self) }
        var page = self
        page.status = .delivered
        page.deliveredAt = input.now
        page.proof = proof
        page.attempts += 1
        var step = Step(page)
        step.entries = [
            page.entry(
                "page.delivered",
                "\(delivery.target.name) paged by \(delivery.target.method.rawValue): “\(delivery.message.title)” (\(proof))."
            )
        ]
        step.forward(
            .incident, delivery.incident, .incident(.pageDelivered(page: id, to: delivery.target.name)))
        return step
    }

    private func failed(_ reason: String, _ isFinal: Bool, _ input: StepInput) -> Step<Page> {
        guard status == .queued else { return Step(self) }
        var page = self
        page.attempts += 1
        page.lastFailure = reason
        if isFinal { page.status = .failed }
        var step = Step(page)
        // Each attempt counts, but only the first and the last are news.
        if isFinal || page.attempts == 1 {
            step.entries = [
                page.entry(
                    isFinal ? "page.failed" : "page.delayed",
                    "\(delivery.target.name) could not be paged by \(delivery.target.method.rawValue)"
                        + (isFinal ? ": \(reason)." : " yet, will try again: \(reason)."))
            ]
            step.forward(
                .incident, delivery.incident,
                .incident(.pageFailed(page: id, to: delivery.target.name, reason: reason)))
        }
        return step
    }

    private func use(_ link: PageLink, _ input: StepInput) throws(Refusal) -> Step<Page> {
        guard !usedLinks.contains(link.rawValue) else {
            throw Refusal(.conflict, "This link has been used already.")
        }
        guard input.now <= requestedAt + Page.linkLifetime else {
            throw Refusal(.forbidden, "This link has expired; sign in to act on incident \(delivery.incident).")
        }
        var page = self
        page.usedLinks.append(link.rawValue)
        var step = Step(page)
        let person = Actor(.person, delivery.target.name)
        switch link {
        case .acknowledge:
            step.forward(.incident, delivery.incident, .incident(.acknowledged), by: person)
        case .undo:
            guard let change = delivery.message.undo else {
                throw Refusal(.invalid, "This page offers nothing to undo.")
            }
            step.forward(.incident, delivery.incident, .incident(.undoRequested(change: change)), by: person)
        }
        return step
    }

    private func entry(_ kind: String, _ text: String) -> Entry {
        Entry(kind, text, service: service, incident: delivery.incident, data: ["page": .string(id)])
    }
}
