import HTTPTypes
import Hummingbird

/// "Report a problem": the form at the foot of every page, and the page it leads to when something is wrong with it.
struct ReportPages: Sendable {
    let shop: Shop

    var routes: [Route] {
        [
            Route(.get, "/report", show),
            Route(.post, "/report", send),
        ]
    }

    /// `prefix` keeps the ids of two such forms on one page apart.
    static func form(feature: Feature, text: String, page: String, csrf: String, prefix: String) -> HTML {
        let options = Feature.allCases.map { option -> HTML in
            let selected: HTML = option == feature ? " selected" : ""
            return "<option value=\"\(option.rawValue)\"\(selected)>\(option.label)</option>"
        }
        return """
            <form class="stack" method="post" action="/report" data-report>
            <input type="hidden" name="csrf" value="\(csrf)"><input type="hidden" name="page" value="\(page)">
            <label for="\(prefix)-feature">What is it about?</label>
            <select id="\(prefix)-feature" name="feature">\(options)</select>
            <label for="\(prefix)-text">What is wrong?</label>
            <textarea id="\(prefix)-text" name="text" rows="3" maxlength="\(Reports.textLimit)" \
            required>\(text)</textarea>
            <button>Send the report</button>
            <p role="status" data-answer></p>
            </form>
            """
    }

    @Sendable private func show(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let fields = try request.queryFields()
        let feature = fields["feature"].flatMap(Feature.init(rawValue:)) ?? .other
        let layout = Layout(
            "Report a problem", section: .none, feature: feature, request, context, notice: Notice(fields))
        return page(layout, feature: feature, text: "", page: "", problem: nil, context)
    }

    @Sendable private func send(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let form = try await request.form(context)
        let (feature, text, page) = (form["feature"] ?? "", form["text"] ?? "", form["page"] ?? "")
        do {
            try await shop.reports.send(feature: feature, text: text, page: page, context)
            return .seeOther("/report?notice=\(Notice.reported.rawValue)")
        } catch let problem as Problem {
            let known = Feature(rawValue: feature) ?? .other
            let layout = Layout("Report a problem", section: .none, feature: known, request, context)
            return self.page(layout, feature: known, text: text, page: page, problem: problem, context)
        }
    }

    private func page(
        _ layout: Layout, feature: Feature, text: String, page: String, problem: Problem?,
        _ context: StorefrontContext
    ) -> Response {
        let error: HTML = problem.map { "<p class=\"notice bad\" role=\"alert\">\($0.detail)</p>" } ?? .empty
        return layout.response(
            """
            <section class="narrow"><h1>Report a problem</h1>
            <p>Tell us what does not work. It goes straight to the people who look after the shop.</p>
            \(error)
            \(Self.form(feature: feature, text: text, page: page, csrf: context.visitor.csrf, prefix: "page"))
            </section>
            """, status: problem?.status ?? .ok)
    }
}
