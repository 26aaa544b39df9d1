import Decide
import Testing

@Suite("Delivery policy")
struct DeliveryPolicyTests {
    static let now = Instant(milliseconds: 1_795_323_109_000)  // 2026-11-22T04:51:49Z

    @Test(
        "waits longer after each failed try, and never longer than 5 minutes",
        arguments: [
            (0, 2), (1, 2), (2, 5), (3, 15), (4, 30), (5, 60), (6, 120), (7, 240), (8, 300), (9, 300), (1_000_000, 300),
        ] as [(Int, Int64)])
    func pauses(attempt: Int, seconds: Int64) {
        #expect(DeliveryPolicy.pause(afterAttempt: attempt) == .seconds(seconds))
    }

    @Test(
        "honours what the receiving side asks for, within bounds",
        arguments: [(nil, 2), (1, 2), (30, 30), (900, 900), (86_400, 900)] as [(Int64?, Int64)])
    func retryAfter(asked: Int64?, waits: Int64) {
        let outcome = DeliveryOutcome.temporary(reason: "HTTP 429", retryAfter: asked.map { .seconds($0) })
        let next = DeliveryPolicy.next(
            after: outcome, attempt: 1, now: Self.now, expiresAt: Self.now + .hours(24))
        #expect(next == .retry(at: Self.now + .seconds(waits), reason: "HTTP 429"))
    }

    @Test("gives up when the next try would come too late")
    func expires() {
        let outcome = DeliveryOutcome.temporary(reason: "no answer", retryAfter: nil)
        #expect(
            DeliveryPolicy.next(after: outcome, attempt: 1, now: Self.now, expiresAt: Self.now + .seconds(2))
                == .giveUp(reason: "no answer; given up after 1 try"))
        #expect(
            DeliveryPolicy.next(after: outcome, attempt: 2, now: Self.now, expiresAt: Self.now + .milliseconds(5_001))
                == .retry(at: Self.now + .seconds(5), reason: "no answer"))
    }

    @Test("ends with a delivery or a permanent failure at once")
    func ends() {
        let end = Self.now + .hours(1)
        #expect(
            DeliveryPolicy.next(after: .delivered(proof: "250 ok"), attempt: 9, now: Self.now, expiresAt: end)
                == .delivered(proof: "250 ok"))
        #expect(
            DeliveryPolicy.next(after: .permanent(reason: "550 no"), attempt: 1, now: Self.now, expiresAt: end)
                == .giveUp(reason: "550 no"))
    }

    @Test(
        "reads HTTP answers",
        arguments: [
            (200, "delivered"), (204, "delivered"), (301, "permanent"), (400, "permanent"), (403, "permanent"),
            (404, "permanent"), (408, "temporary"), (410, "permanent"), (425, "temporary"), (429, "temporary"),
            (500, "temporary"), (503, "temporary"), (599, "temporary"), (100, "permanent"), (600, "permanent"),
        ])
    func http(status: Int, kind: String) {
        #expect(
            name(DeliveryPolicy.outcome(httpStatus: status, words: "w", retryAfter: nil, now: Self.now)) == kind)
    }

    @Test(
        "reads Retry-After in both forms",
        arguments: [
            ("30", 30), ("0", 0), ("Sun, 22 Nov 2026 04:52:49 GMT", 60), ("Sun, 22 Nov 2026 04:50:49 GMT", 0),
            ("soon", nil), ("", nil), ("-5", nil), ("1.5", nil), ("99999999999999999999", nil),
        ] as [(String, Int64?)])
    func retryAfterForms(field: String, seconds: Int64?) {
        #expect(
            DeliveryPolicy.outcome(httpStatus: 429, words: "w", retryAfter: field, now: Self.now)
                == .temporary(reason: "w", retryAfter: seconds.map { .seconds($0) }))
    }

    @Test(
        "reads SMTP replies: only a refusal of the message itself is final",
        arguments: [
            (550, true, "permanent"), (554, true, "permanent"), (501, true, "permanent"), (450, true, "temporary"),
            (421, true, "temporary"), (530, true, "temporary"), (535, true, "temporary"), (535, false, "temporary"),
            (554, false, "temporary"), (nil, true, "temporary"), (nil, false, "temporary"), (250, true, "temporary"),
        ] as [(Int?, Bool, String)])
    func smtp(code: Int?, toMessage: Bool, kind: String) {
        #expect(name(DeliveryPolicy.outcome(smtpCode: code, toMessage: toMessage, words: "w")) == kind)
    }

    private func name(_ outcome: DeliveryOutcome) -> String {
        switch outcome {
        case .delivered: "delivered"
        case .temporary: "temporary"
        case .permanent: "permanent"
        }
    }

    @Test("a page past its lifetime is not sent any more")
    func tooLate() {
        #expect(
            DeliveryPolicy.readiness(delivery("opened"), incident: nil, now: Self.now, expiresAt: Self.now)
                == .withhold(reason: "expired before it could be sent"))
    }

    @Test(
        "a repeated page is withheld once somebody acted, any other is sent and says so",
        arguments: [
            (.triggered, false, "again-1", .send(meanwhile: [], offersLinks: true)),
            (.acknowledged, true, "again-1", .withhold(reason: "acknowledged meanwhile")),
            (.mitigated, true, "again-3", .withhold(reason: "acknowledged meanwhile")),
            (.mitigated, false, "again-3", .withhold(reason: "mitigated meanwhile")),
            (.resolved, true, "again-1", .withhold(reason: "resolved meanwhile")),
            (.reviewed, false, "again-1", .withhold(reason: "reviewed meanwhile")),
            (.triggered, false, "opened", .send(meanwhile: [], offersLinks: true)),
            (.acknowledged, true, "opened", .send(meanwhile: ["Meanwhile acknowledged by lin."], offersLinks: true)),
            (.resolved, true, "opened", .send(meanwhile: ["Meanwhile resolved by Mainstay."], offersLinks: false)),
            (.resolved, true, "resolved", .send(meanwhile: [], offersLinks: true)),
            (.acknowledged, true, "undone", .send(meanwhile: [], offersLinks: true)),
        ] as [(Incident.Status, Bool, String, DeliveryPolicy.Readiness)])
    func readiness(
        status: Incident.Status, acknowledged: Bool, purpose: String, expected: DeliveryPolicy.Readiness
    ) throws {
        var incident = try openIncident()
        incident.status = status
        incident.acknowledgedAt = acknowledged ? Self.now : nil
        incident.acknowledgedBy = acknowledged ? "lin" : nil
        incident.resolvedBy = status.isOpen ? nil : "Mainstay"
        #expect(
            DeliveryPolicy.readiness(
                delivery(purpose), incident: incident, now: Self.now, expiresAt: Self.now + .hours(1)) == expected)
    }

    private func openIncident() throws -> Incident {
        let alert = Alert(
            id: "shop/saved", kind: .journey, severity: .high, since: Self.now, summary: "it fails")
        let step = try Machine.step(
            nil, .incident(.opened(service: "shop", feature: "favorites", alert)),
            StepInput(
                now: Self.now, actor: .mainstay, subject: Subject(.incident, "shop-favorites-1"), policy: Policy()))
        return try #require(step.state?.incident)
    }

    private func delivery(_ purpose: String) -> Delivery {
        Delivery(
            page: "shop-favorites-1/ada/email/\(purpose)", service: "shop", incident: "shop-favorites-1",
            target: PageTarget(name: "ada", method: .email),
            message: PageMessage(
                title: "t", severity: .high, lines: [], acknowledge: purpose == "opened" || purpose.hasPrefix("again"),
                undo: nil, undoTitle: nil, isResolved: purpose == "resolved"))
    }

    @Test(
        "writes and reads the dates of HTTP and mail",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (1_795_323_109_000, "Sun, 22 Nov 2026 04:51:49 GMT"), (-86_400_000, "Wed, 31 Dec 1969 00:00:00 GMT"),
        ] as [(Int64, String)])
    func dates(milliseconds: Int64, text: String) {
        #expect(HTTPDate.format(Instant(milliseconds: milliseconds)) == text)
        #expect(HTTPDate.parse(text) == Instant(milliseconds: milliseconds))
    }

    @Test(
        "refuses what is no HTTP date",
        arguments: [
            "", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        ])
    func noDate(text: String) {
        #expect(HTTPDate.parse(text) == nil)
    }
}
