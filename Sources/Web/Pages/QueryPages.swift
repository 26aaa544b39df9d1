import Decide
import Explain
import Hummingbird
import Record

/// Queries: what costs most now, one query's past, and what a change did to them.
enum QueryPages {
    static func add(to routes: PageRoutes) {
        routes.get("/queries") { call, notice in try await list(call, notice) }
        routes.get("/queries/diff") { call, notice in try await diff(call, notice) }
        routes.get("/queries/{fingerprint}") { call, notice in try await show(call, notice) }
    }

    private enum Window: String, CaseIterable {
        case hour, day, week

        var span: Span {
            switch self {
            case .hour: .hours(1)
            case .day: .days(1)
            case .week: .days(7)
            }
        }

        var label: String {
            switch self {
            case .hour: "Last hour"
            case .day: "Last day"
            case .week: "Last 7 days"
            }
        }
    }

    /// What the list is narrowed to; each choice is a link that keeps the others.
    private struct Choice {
        var window: Window
        var database: String?
        var release: String?

        var href: String {
            let parts = [
                window == .hour ? nil : "window=\(window.rawValue)",
                database.map { "database=\(Links.segment($0))" }, release.map { "release=\(Links.segment($0))" },
            ].compactMap { $0 }
            return parts.isEmpty ? "/queries" : "/queries?" + parts.joined(separator: "&")
        }

        func with(_ change: (inout Choice) -> Void) -> String {
            var other = self
            change(&other)
            return other.href
        }
    }

    // MARK: The list

    private static func list(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let choice = Choice(
            window: call.query("window").flatMap { Window(rawValue: $0) } ?? .hour, database: call.query("database"),
            release: call.query("release"))
        let view = try await QueryTrafficView.load(
            since: call.now - choice.window.span, database: choice.database, release: choice.release, call.record,
            now: call.now)
        let fields: Fields = [
            "lines": view.lines.map { line($0, view) }, "isEmpty": view.lines.isEmpty,
            "more": view.count > view.lines.count
                ? "\(view.lines.count) of \(view.count) queries are shown, those that took most time." : nil,
            "windows": Window.allCases.map { window in
                chip(window.label, choice.with { $0.window = window }, window == choice.window)
            },
            "releases": view.releases.prefix(10).map { release in
                [
                    "name": release.name, "href": "/queries/diff?release=\(Links.segment(release.name))",
                    "at": Words.time(release.firstAt), "calls": Figures.count(Double(release.calls)),
                    "only": choice.with { $0.release = release.name },
                ] as Fields
            }, "hasReleases": !view.releases.isEmpty, "hasGuard": call.services.guardControl != nil,
            "release": choice.release.map { ["name": $0, "all": choice.with { $0.release = nil }] as Fields },
        ]
        return try await call.respond(
            PageContent(
                "Queries", .queries, "queries", fields.adding(databases(view, choice)), refresh: 30, notice: notice))
    }

    private static func databases(_ view: QueryTrafficView, _ choice: Choice) -> Fields {
        [
            "databases": view.databases.map { name in
                chip(name, choice.with { $0.database = name }, name == choice.database)
            }, "hasDatabases": view.databases.count > 1,
            "allDatabases": chip("All databases", choice.with { $0.database = nil }, choice.database == nil),
        ]
    }

    private static func chip(_ label: String, _ href: String, _ isCurrent: Bool) -> Fields {
        ["label": label, "href": href, "isCurrent": isCurrent]
    }

    private static func line(_ line: QueryTrafficView.Line, _ view: QueryTrafficView) -> Fields {
        let seconds = max(1, Double(view.span.milliseconds) / 1_000)
        return figures(line.figures).adding([
            "text": words(line.query, line.text), "href": line.query.isOne ? href(line.query) : nil,
            "database": line.database, "share": Figures.share(line.share),
            "rate": "\(Figures.count(Double(line.figures.calls) / seconds))/s",
            "releases": line.releases.prefix(5).filter { !$0.release.isEmpty }.map { part in
                [
                    "name": part.release, "calls": Figures.count(Double(part.figures.calls)),
                    "mean": mean(part.figures),
                ] as Fields
            },
        ])
    }

    // MARK: One query

    private static func show(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let name = try call.parameter("fingerprint")
        guard let query = QueryKey(hex: name),
            let view = try await QueryHistoryView.load(query, call.record, now: call.now)
        else { throw Problem.notFound("query '\(name)'") }
        return try await call.respond(
            PageContent(
                "Query \(query.hex)", .queries, "query",
                [
                    "fingerprint": query.hex, "text": words(query, view.text),
                    "databases": view.databases.joined(separator: ", "),
                    "hours": view.hours.map { figures($0.figures).adding(["at": Words.time($0.at)]) },
                    "hasHours": !view.hours.isEmpty,
                    "releases": view.releases.map { part in
                        figures(part.figures).adding([
                            "name": part.release.isEmpty ? nil : part.release,
                            "href": "/queries/diff?release=\(Links.segment(part.release))",
                        ])
                    }, "hasReleases": !view.releases.isEmpty,
                ], refresh: 60, notice: notice))
    }

    // MARK: Words

    static func href(_ query: QueryKey) -> String { "/queries/\(query.hex)" }

    /// Transactions and what is beyond the number that is told apart have no text of their own.
    static func words(_ query: QueryKey, _ text: String) -> String {
        switch query {
        case .transactionControl: text.isEmpty ? "BEGIN, COMMIT and the like" : text
        case .others: "All queries beyond the number that is told apart"
        default: text.isEmpty ? "Text not known" : text
        }
    }

    static func figures(_ figures: QueryFigures) -> Fields {
        func percentile(_ share: Double) -> String {
            figures.latency.percentile(share).map { Figures.time(milliseconds: Double($0) / 1_000) } ?? "–"
        }
        return [
            "calls": Figures.count(Double(figures.calls)), "mean": mean(figures),
            "total": Figures.time(milliseconds: Double(figures.nanoseconds) / 1e6), "p95": percentile(0.95),
            "p99": percentile(0.99), "rows": Figures.count(Double(figures.rows)),
            "errors": figures.errorCount == 0 ? nil : errors(figures),
            "empty": figures.writes == 0
                ? nil
                : "\(Figures.count(Double(figures.emptyWrites))) of \(Figures.count(Double(figures.writes))) changed nothing"
                ,
        ]
    }

    private static func mean(_ figures: QueryFigures) -> String {
        figures.calls == 0
            ? "–" : Figures.time(milliseconds: Double(figures.nanoseconds) / 1e6 / Double(figures.calls))
    }

    /// `12: 23505 ×10, 57014 ×2`.
    private static func errors(_ figures: QueryFigures) -> String {
        let states = figures.errors.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
            .map { "\($0.key) ×\($0.value)" }.joined(separator: ", ")
        return "\(Figures.count(Double(figures.errorCount))): \(states)"
    }
}
