import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// Every page for people, and the two files they load.
package func addPages(to router: Router<WebContext>, _ services: WebServices) {
    let routes = PageRoutes(router: router, services: services)
    Assets.add(to: router)
    SignInPages.add(to: router, services)
    DashboardPages.add(to: routes)
    IncidentPages.add(to: routes)
    PostmortemPages.add(to: routes)
    FlagPages.add(to: routes)
    ChangePages.add(to: routes)
    ReleasePages.add(to: routes)
    CheckPages.add(to: routes)
    QueryPages.add(to: routes)
    GuardPages.add(to: routes)
    TimelinePages.add(to: routes)
    GuardRulePages.add(to: routes)
    AccountPages.add(to: routes)
}

/// Registers pages and the forms on them.
struct PageRoutes {
    typealias Show = @Sendable (PageCall, Notice?) async throws -> Response

    let router: Router<WebContext>
    let services: WebServices

    func get(_ path: RouterPath, _ role: Role = .viewer, _ show: @escaping Show) {
        router.get(path) { [services] request, context in
            let identity = try context.require(role)
            return try await show(
                PageCall(request: request, context: context, services: services, identity: identity), nil)
        }
    }

    /// A form's target. What was refused is shown on the page that the form stands on, with nothing changed.
    func post(
        _ path: RouterPath, _ role: Role = .responder, on show: @escaping Show,
        _ act: @escaping @Sendable (PageCall) async throws -> Response
    ) {
        router.post(path) { [services] request, context in
            let identity = try context.require(role)
            let call = PageCall(request: request, context: context, services: services, identity: identity)
            do {
                return try await act(call)
            } catch {
                guard let notice = Notice.refusal(error), notice.status != .notFound else { throw error }
                return try await show(call, notice)
            }
        }
    }
}
