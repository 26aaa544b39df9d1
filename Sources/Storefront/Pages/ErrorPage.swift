import HTTPTypes
import Hummingbird

/// An error as a person sees it.
enum ErrorPage {
    static func response(_ problem: Problem, _ request: Request, _ visitor: Visitor) -> Response {
        let layout = Layout(problem.title, section: .none, feature: feature(request.uri.path), request, visitor)
        var response = layout.response(
            """
            <section class="narrow">
            <p class="code">\(problem.status.code)</p>
            <h1>\(problem.title)</h1>
            <p>\(problem.detail)</p>
            <p><a class="button" href="/">To the products</a></p>
            </section>
            """, status: problem.status)
        for field in problem.headers { response.headers[field.name] = field.value }
        return response
    }

    private static func feature(_ path: String) -> Feature {
        if path.hasPrefix("/posts") { return .posts }
        if path.hasPrefix("/favorites") || path.hasSuffix("/favorite") { return .favorites }
        if path.hasPrefix("/sign-") { return .accounts }
        if path == "/" || path.hasPrefix("/products") { return .products }
        return .other
    }
}
