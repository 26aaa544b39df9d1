/// What one try to deliver a page came to.
package enum DeliveryOutcome: Hashable, Sendable {
    /// The receiving side took it, in its own words.
    case delivered(proof: String)
    /// A later try may succeed, or nobody knows whether this one did.
    /// - `retryAfter`: how long the receiving side asked to be left alone.
    case temporary(reason: String, retryAfter: Span?)
    /// No later try can succeed.
    case permanent(reason: String)
}

/// Which answers end a delivery and when the next try is due.
///
/// It fails open: whenever a person may not have been reached, the page is tried again until its lifetime ends.
package enum DeliveryPolicy {
    // MARK: After a try

    package enum Next: Hashable, Sendable {
        case delivered(proof: String)
        case retry(at: Instant, reason: String)
        case giveUp(reason: String)
    }

    /// The longest pause between two tries that nobody asked for.
    package static let longestPause: Span = .minutes(5)
    /// The longest pause a receiving side can ask for: a page that comes hours late is a lost page.
    package static let longestRetryAfter: Span = .minutes(15)

    private static let pauses: [Span] = [.seconds(2), .seconds(5), .seconds(15), .seconds(30), .seconds(60)]

    /// The pause after the given try, counted from 1: 2 s, 5 s, 15 s, 30 s, 60 s, then doubling up to 5 minutes.
    package static func pause(afterAttempt attempt: Int) -> Span {
        let index = max(0, attempt - 1)
        if index < pauses.count { return pauses[index] }
        let doublings = min(index - pauses.count + 1, 8)
        return min(pauses[pauses.count - 1] * (1 << Int64(doublings)), longestPause)
    }

    /// - Parameters:
    ///   - attempt: the try that was just made, 1 for the first.
    ///   - expiresAt: no try starts at or after this.
    package static func next(
        after outcome: DeliveryOutcome, attempt: Int, now: Instant, expiresAt: Instant
    ) -> Next {
        switch outcome {
        case .delivered(let proof): return .delivered(proof: proof)
        case .permanent(let reason): return .giveUp(reason: reason)
        case .temporary(let reason, let retryAfter):
            let asked = min(retryAfter ?? .zero, longestRetryAfter)
            let at = now + max(pause(afterAttempt: attempt), asked)
            guard at < expiresAt else {
                return .giveUp(reason: "\(reason); given up after \(attempt) \(attempt == 1 ? "try" : "tries")")
            }
            return .retry(at: at, reason: reason)
        }
    }

    // MARK: Before a try

    package enum Readiness: Hashable, Sendable {
        /// Send it, with what happened since it was asked for.
        case send(meanwhile: [String], offersLinks: Bool)
        case withhold(reason: String)
    }

    /// What to do with a page whose turn has come, as its incident stands now.
    ///
    /// A page that repeats an earlier one is pointless once somebody acted. Any other page is sent whatever happened,
    /// because it may be the only news its receiver gets, but it says what happened.
    /// - Parameter incident: nil when it is not known; then the page is sent as it is.
    package static func readiness(
        _ delivery: Delivery, incident: Incident?, now: Instant, expiresAt: Instant
    ) -> Readiness {
        guard now < expiresAt else { return .withhold(reason: "expired before it could be sent") }
        guard let incident else { return .send(meanwhile: [], offersLinks: true) }
        if delivery.isRepage, let reason = overtaken(incident) { return .withhold(reason: reason) }
        guard delivery.message.acknowledge else { return .send(meanwhile: [], offersLinks: true) }
        return .send(meanwhile: meanwhile(incident), offersLinks: incident.status.isOpen)
    }

    private static func overtaken(_ incident: Incident) -> String? {
        if !incident.status.isOpen { return "\(incident.status.rawValue) meanwhile" }
        if incident.acknowledgedAt != nil { return "acknowledged meanwhile" }
        return incident.status == .triggered ? nil : "\(incident.status.rawValue) meanwhile"
    }

    private static func meanwhile(_ incident: Incident) -> [String] {
        if !incident.status.isOpen {
            return ["Meanwhile resolved\(incident.resolvedBy.map { " by \($0)" } ?? "")."]
        }
        guard incident.acknowledgedAt != nil else { return [] }
        return ["Meanwhile acknowledged\(incident.acknowledgedBy.map { " by \($0)" } ?? "")."]
    }

    // MARK: What answers mean

    /// An HTTP answer. Redirects are not followed, so that a page cannot be sent where nobody configured it.
    /// - Parameters:
    ///   - words: the answer in words, for people; without secrets.
    ///   - retryAfter: the field Retry-After, seconds or an HTTP date.
    package static func outcome(httpStatus: Int, words: String, retryAfter: String?, now: Instant) -> DeliveryOutcome {
        switch httpStatus {
        case 200...299: .delivered(proof: words)
        case 408, 421, 423, 425, 429, 500...599:
            .temporary(reason: words, retryAfter: retryAfter.flatMap { pause(asked: $0, now: now) })
        default: .permanent(reason: words)
        }
    }

    /// An SMTP reply, or none.
    /// - Parameters:
    ///   - code: the reply's three digits; nil when the server said nothing to the last command.
    ///   - message: whether it answers to the message itself (MAIL, RCPT, DATA); refusals of the session (greeting,
    ///     TLS, sign-in) come from settings that a person can repair while the page waits.
    package static func outcome(smtpCode code: Int?, toMessage message: Bool, words: String) -> DeliveryOutcome {
        guard let code, message, (500...599).contains(code), !signInCodes.contains(code) else {
            return .temporary(reason: words, retryAfter: nil)
        }
        return .permanent(reason: words)
    }

    /// RFC 4954 and RFC 3207: sign in first, too weak, wrong password, TLS needed.
    private static let signInCodes: Set<Int> = [530, 534, 535, 538]

    private static func pause(asked text: String, now: Instant) -> Span? {
        if text.utf8.allSatisfy({ (48...57).contains($0) }), let seconds = Int64(text) {
            return .seconds(min(seconds, 1_000_000))
        }
        return HTTPDate.parse(text).map { max(.zero, $0 - now) }
    }
}

extension Delivery {
    /// Whether it repeats an earlier page of its incident: `storefront-favorites-1/ada/email/again-2`.
    package var isRepage: Bool { purpose.hasPrefix("again-") }

    /// The last part of the page's id: `opened`, `proven`, `undone`, `resolved` or `again-2`.
    package var purpose: Substring { page.split(separator: "/").last ?? "" }
}
