import Decide
import Explain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// One request for a page, by someone who may see it.
struct PageCall: Sendable {
    var request: Request
    var context: WebContext
    var services: WebServices
    var identity: Identity

    var record: Record { services.record }
    var now: Instant { services.record.now() }
    var isResponder: Bool { identity.may(.responder) }
    var csrf: String { identity.csrf ?? "" }

    /// A part of the path, unescaped. What cannot name anything is not found.
    func parameter(_ name: String) throws -> String {
        guard let raw = context.parameters.get(name), let text = PercentCoding.decode(raw.utf8), !text.isEmpty,
            text.utf8.count <= 500
        else { throw Problem.notFound("such page") }
        return text
    }

    /// A parameter of the address; unknown and unreadable ones are as if they were not there.
    func query(_ name: String) -> String? {
        guard let text = request.uri.query, text.utf8.count <= 4_000, let fields = FormFields(decoding: text.utf8),
            let value = fields[name], !value.isEmpty
        else { return nil }
        return value
    }

    /// Where an older page of a list begins.
    var before: Instant? { query("before").flatMap { RFC3339.parse($0) } }

    func respond(_ page: PageContent) async throws -> Response {
        var page = page
        page.notice = page.notice ?? Notice.done(query("done"))
        // What happens between this answer and the stream's beginning is sent first.
        page.head = try await record.timelineHead()
        let open = try await IncidentListView.open(record, now: now).count
        return Response(
            html: Layout.render(page, identity: identity, open: open, version: services.version), status: page.status)
    }

    /// After a form: back to a page, with a word on what was done.
    func done(_ path: String, _ word: String) -> Response {
        Response(status: .seeOther, headers: [.location: "\(path)?done=\(word)"])
    }

    func form() async throws -> FormFields { try await Forms.read(request) }
}

extension FormFields {
    /// A field without spaces around it; empty when it was not sent.
    func trimmed(_ name: String) -> String {
        let text = self[name] ?? ""
        let start = text.drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// A reason that must be given.
    func reason(_ what: String) throws -> String {
        let reason = trimmed("reason")
        guard !reason.isEmpty else { throw Problem.invalid("reason", "is missing: say why \(what)") }
        guard reason.utf8.count <= 1_000 else { throw Problem.invalid("reason", "is longer than 1000 bytes") }
        return reason
    }
}
