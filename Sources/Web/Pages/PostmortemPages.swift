import Decide
import Explain
import HTTPTypes
import Hummingbird
import NIOCore
import Record

/// An incident's postmortem, as a page and as Markdown to take along.
enum PostmortemPages {
    static func add(to routes: PageRoutes) {
        routes.get("/incidents/{id}/postmortem") { call, notice in try await show(call, notice) }
        routes.get("/incidents/{id}/postmortem.md") { call, _ in try await download(call) }
    }

    private static func show(_ call: PageCall, _ notice: Notice?) async throws -> Response {
        let id = try call.parameter("id")
        let document = try await Postmortem.document(for: id, call.record, now: call.now)
        return try await call.respond(page(document, id, notice: notice))
    }

    static func page(_ document: PostmortemDocument, _ id: String, notice: Notice? = nil) -> PageContent {
        PageContent(
            document.title, .incidents, "postmortem",
            [
                "title": document.title, "incident": Links.incident(id), "id": id,
                "download": Links.postmortem(id) + ".md",
                "sections": document.sections.enumerated().map { index, section in
                    ["title": section.title, "anchor": "s\(index + 1)", "blocks": section.blocks.map(block)] as Fields
                },
            ], notice: notice)
    }

    private static func download(_ call: PageCall) async throws -> Response {
        let id = try call.parameter("id")
        let text = try await Postmortem.markdown(
            for: id, call.record, now: call.now, base: call.services.settings.publicURL)
        let name = id.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 34 && $0 != 92 } ? id : "postmortem"
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/markdown; charset=utf-8",
                .contentDisposition: "attachment; filename=\"\(name).md\"",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private static func block(_ block: PostmortemDocument.Block) -> Fields {
        func fields(
            paragraph: [Fields]? = nil, list: [Fields]? = nil, tasks: [Fields]? = nil, table: Fields? = nil
        ) -> Fields {
            [
                "paragraph": paragraph.map { ["inlines": $0] as Fields }, "list": list.map { ["items": $0] as Fields },
                "tasks": tasks.map { ["items": $0] as Fields }, "table": table,
            ]
        }
        switch block {
        case .paragraph(let prose): return fields(paragraph: inlines(prose))
        case .list(let items): return fields(list: items.map { ["inlines": inlines($0)] })
        case .tasks(let items): return fields(tasks: items.map { ["inlines": inlines($0)] })
        case .table(let head, let rows):
            let isNamed = head.contains { !$0.isEmpty }
            return fields(
                table: [
                    "head": isNamed ? ["cells": head] as Fields : nil,
                    "rows": rows.map { row in
                        [
                            "name": ["inlines": row.first.map(inlines) ?? []] as Fields,
                            "cells": row.dropFirst().map { ["inlines": inlines($0)] as Fields },
                        ] as Fields
                    },
                ])
        }
    }

    private static func inlines(_ prose: PostmortemDocument.Prose) -> [Fields] {
        prose.inlines.map { inline in
            switch inline {
            case .text(let text): inlineFields(text: text)
            case .strong(let text): inlineFields(strong: text)
            case .code(let text): inlineFields(code: text)
            case .link(let text, let path): inlineFields(link: ["label": text, "href": path])
            case .time(let at): inlineFields(time: Words.exactTime(at))
            }
        }
    }

    private static func inlineFields(
        text: String? = nil, strong: String? = nil, code: String? = nil, link: Fields? = nil, time: Fields? = nil
    ) -> Fields {
        ["plain": text, "strong": strong, "code": code, "link": link, "time": time]
    }

    private static let inline =
        "{{#inlines}}{{#plain}}{{.}}{{/plain}}{{#strong}}<strong>{{.}}</strong>{{/strong}}{{#code}}<code>{{.}}</code>{{/code}}"
        + "{{#link}}<a href=\"{{href}}\">{{label}}</a>{{/link}}{{#time}}{{>time}}{{/time}}{{/inlines}}"

    static let template = """
        <article class="document">
        <p class="crumbs"><a href="/incidents">Incidents</a> / <a href="{{incident}}">{{id}}</a> / Postmortem</p>
        <h1>{{title}}</h1>
        <p class="more"><a class="button" href="{{download}}" download>{{>icon-down}}Download as Markdown</a></p>
        {{#sections}}<section id="{{anchor}}"><h2>{{title}}</h2>
        {{#blocks}}{{#paragraph}}<p>\(inline)</p>{{/paragraph}}
        {{#list}}<ul>{{#items}}<li>\(inline)</li>{{/items}}</ul>{{/list}}
        {{#tasks}}<ul class="tasks">{{#items}}<li><span class="box" aria-hidden="true"></span>\(inline)</li>{{/items}}</ul>{{/tasks}}
        {{#table}}<div class="scroll" tabindex="0" role="region" aria-label="{{title}}"><table class="list">{{#head}}<thead><tr>{{#cells}}<th scope="col">{{.}}</th>{{/cells}}</tr></thead>{{/head}}<tbody>{{#rows}}<tr><th scope="row">{{#name}}\(inline)</th>{{/name}}{{#cells}}<td>\(inline)</td>{{/cells}}</tr>{{/rows}}</tbody></table></div>{{/table}}
        {{/blocks}}</section>
        {{/sections}}
        </article>
        """
}
