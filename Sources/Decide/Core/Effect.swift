/// Something to be done outside, at least once, after the step is on disk.
package enum Effect: Hashable, Sendable, Codable {
    /// Act: deliver a page.
    case deliver(Delivery)
    /// Observe: run a check now.
    case run(RunRequest)
    /// Observe: run a journey with the old and with the new variant.
    case experiment(ExperimentRequest)

    package enum Lane: String, Hashable, Sendable, Codable {
        case act, observe
    }

    package var lane: Lane {
        switch self {
        case .deliver: .act
        case .run, .experiment: .observe
        }
    }

    /// Two effects with one key are one effect.
    package var key: String {
        switch self {
        case .deliver(let delivery): "deliver/\(delivery.page)"
        case .run(let request): "run/\(request.check)/\(request.cause)"
        case .experiment(let request):
            "experiment/\(request.incident)/\(request.check)/\(request.change)/\(request.round)"
        }
    }

    /// Past it the effect is given up, and its subject told: an old probe proves nothing, a page must get through.
    package var lifetime: Span {
        switch self {
        case .deliver: .hours(24)
        case .run: .minutes(1)
        case .experiment: .minutes(5)
        }
    }
}

/// Run a check at once instead of at its next turn, because something changed.
package struct RunRequest: Hashable, Sendable, Codable {
    package var check: String
    /// What brought it on; part of the idempotency key.
    package var cause: String

    package init(check: String, cause: String) {
        self.check = check
        self.cause = cause
    }
}

/// The controlled trial: the same journey, the same minute, the same machine, one difference.
package struct ExperimentRequest: Hashable, Sendable, Codable {
    package var incident: String
    package var check: String
    package var change: String
    package var flag: String
    package var oldVariant: String
    package var newVariant: String
    package var round: Int

    package init(
        incident: String, check: String, change: String, flag: String, oldVariant: String, newVariant: String,
        round: Int
    ) {
        self.incident = incident
        self.check = check
        self.change = change
        self.flag = flag
        self.oldVariant = oldVariant
        self.newVariant = newVariant
        self.round = round
    }
}

/// A page on its way to one address.
package struct Delivery: Hashable, Sendable, Codable {
    /// The page's id: `storefront-favorites-1/ada/email/opened`.
    package var page: String
    package var service: String
    package var incident: String
    package var target: PageTarget
    package var message: PageMessage

    package init(page: String, service: String, incident: String, target: PageTarget, message: PageMessage) {
        self.page = page
        self.service = service
        self.incident = incident
        self.target = target
        self.message = message
    }
}
