import Logging
import MainstayKit

/// Takes what people report and hands it to Mainstay. Nothing is kept here: who reports is told whether it arrived.
struct Reports: Sendable {
    static let textLimit = 2_000

    let guardian: Guardian
    let limit: RateLimit
    let logger: Logger

    init(guardian: Guardian, clock: WallClock, logger: Logger) {
        self.guardian = guardian
        self.logger = logger
        limit = RateLimit(limit: 10, windowMilliseconds: 60_000, clock: clock)
    }

    /// Throws 422 for bad input, 429 after too many, 503 when Mainstay could not be told.
    func send(feature: String, text: String, page: String, _ context: StorefrontContext) async throws {
        var validator = Validator()
        let text = validator.text("text", text, length: 1...Self.textLimit, lines: true)
        let page = validator.text("page", page, length: 0...500)
        let known = Feature(rawValue: feature)
        if known == nil {
            let names = Feature.allCases.map(\.rawValue).joined(separator: ", ")
            validator.refuse("feature", "must be one of \(names).")
        }
        try validator.finish()
        let user = context.visitor.user
        try limit.use(
            user?.key ?? context.address, detail: "You have sent many reports within a minute. Wait a little.")
        do {
            try await guardian.report(
                ProblemReport(
                    feature: known == .other ? nil : known?.rawValue, text: text, user: user?.key,
                    page: page.isEmpty ? nil : page))
        } catch {
            logger.warning("A problem report could not be delivered.", metadata: ["error": "\(error)"])
            throw Problem.unavailable(
                "Your report could not be delivered, so nobody has read it yet. Please try again in a moment.")
        }
    }
}
