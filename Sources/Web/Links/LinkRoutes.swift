import Act
import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// The links that pages carry: they work without signing in, once, and only when the button is pressed. Opening one
/// changes nothing, because mail programs open links by themselves.
struct LinkRoutes: Sendable {
    let services: WebServices

    func add(to router: Router<WebContext>) {
        router.get("/l/{token}") { request, context in try await show(context) }
        router.post("/l/{token}") { request, context in try await use(context) }
    }

    private func show(_ context: WebContext) async throws -> Response {
        let (page, link) = try await open(context)
        guard !page.usedLinks.contains(link.rawValue) else { return gone("This link has been used already.", page) }
        return LinkPage.ask(link, page)
    }

    private func use(_ context: WebContext) async throws -> Response {
        let (page, link) = try await open(context)
        do {
            try await services.record.apply(
                Subject(.page, page.id), .page(.linkUsed(link)), by: Actor(.person, page.delivery.target.name))
            return LinkPage.done(link, page)
        } catch let refusal as Refusal {
            return gone(refusal.message, page)
        }
    }

    private func gone(_ message: String, _ page: Page) -> Response {
        LinkPage.refused(message, incident: page.delivery.incident)
    }

    /// The page and what its link does.
    private func open(_ context: WebContext) async throws -> (Page, PageLink) {
        let now = services.record.now()
        try limit(services.limits.linksByAddress, context.address, "links opened", at: now)
        guard let token = context.parameters.get("token"),
            let (id, link) = services.linkSigner.verify(token, now: now),
            let page = try await services.record.page(id)
        else {
            throw Problem(
                .notFound, "This link is not one of Mainstay's, or has expired. Sign in to act on the incident.")
        }
        return (page, link)
    }
}
