import AsyncHTTPClient
import Decide
import Foundation
import NIOCore
import NIOHTTP1

/// Follows Mainstay's own timeline while the drill runs, prints it, and plays the person on call.
struct DrillWatch: Sendable {
    /// What happened when, by the record.
    struct Story: Sendable {
        var release: String
        /// The released variant went live for the first users: all times count from here.
        var servedAt: Instant?
        var detectedAt: Instant?
        var pagedAt: Instant?
        var undoneAt: Instant?
        var verifiedAt: Instant?
        var resolvedAt: Instant?
        var completedAt: Instant?
        var incident: String?
        var share = 0
        var undos = 0
        var hasPressedUndo = false
    }

    private static let poll: Duration = .milliseconds(100)
    private static let silent: Set<String> = [
        "session.started", "account.created", "token.created", "flag.declared", "release.created",
        "release.evidence_added", "release.approved",
    ]

    let plan: DrillPlan
    let stage: DrillStage
    let api: MainstayAPI
    let mail: MailSink
    let console: DrillConsole
    let release: String

    func run(until deadline: ContinuousClock.Instant) async throws -> Story {
        var story = Story(release: release)
        var last: Int64 = 0
        var reports = 0
        while ContinuousClock.now < deadline, !isOver(story) {
            let lines = try await api.get("/api/v1/timeline?after=\(last)&limit=200")["items"]?.array ?? []
            for line in lines {
                last = line["id"]?.integer ?? last
                note(line, &story)
                if line["kind"]?.string == "report.received" { reports += 1 }
                if line["kind"]?.string != "report.received" || reports <= 3 { show(line, story) }
            }
            if plan.onCall == .undo, story.pagedAt != nil, !story.hasPressedUndo {
                story.hasPressedUndo = try await pressUndo()
            }
            try await Task.sleep(for: Self.poll)
        }
        return story
    }

    private func isOver(_ story: Story) -> Bool {
        switch plan.end {
        case .resolved: story.resolvedAt != nil
        case .completed: story.completedAt != nil || story.undoneAt != nil
        }
    }

    private func note(_ line: JSONValue, _ story: inout Story) {
        guard let at = line["at"]?.string.flatMap({ RFC3339.parse($0) }), let kind = line["kind"]?.string else {
            return
        }
        switch kind {
        case "flag.rolled_out": story.servedAt = story.servedAt ?? at
        case "rollout.advanced", "rollout.started": story.share = max(story.share, share(line))
        case "incident.opened":
            story.detectedAt = story.detectedAt ?? at
            story.incident = story.incident ?? line["incident"]?.string
        case "page.delivered": story.pagedAt = story.pagedAt ?? at
        case "flag.undone":
            story.undoneAt = story.undoneAt ?? at
            story.undos += 1
        case "incident.verified": story.verifiedAt = story.verifiedAt ?? at
        case "incident.resolved": story.resolvedAt = story.resolvedAt ?? at
        case "rollout.completed":
            story.completedAt = story.completedAt ?? at
            story.share = 10_000
        default: break
        }
    }

    private func share(_ line: JSONValue) -> Int { Int(line["data"]?["share"]?.integer ?? 0) }

    private func show(_ line: JSONValue, _ story: Story) {
        guard let kind = line["kind"]?.string, let text = line["text"]?.string, !Self.silent.contains(kind) else {
            return
        }
        let at = line["at"]?.string.flatMap { RFC3339.parse($0) }
        let after = at.flatMap { at in story.servedAt.map { max(.zero, at - $0) } }
        let beside = [
            "flag.rolled_out": "served", "incident.opened": "detected", "page.delivered": "paged",
            "flag.undone": "undone",
        ][kind]
        let isFirst =
            switch kind {
            case "flag.rolled_out": story.servedAt == at
            case "page.delivered": story.pagedAt == at
            default: true
            }
        let moment = isFirst ? plan.original?.moments.first { $0.beside != nil && $0.beside == beside } : nil
        console.line(after, text, original: moment)
    }

    // MARK: The person on call

    /// Opens the undo link of the mail as a person would: look at the page, press its button.
    private func pressUndo() async throws -> Bool {
        guard let text = mail.mails.first?.text, let link = Self.undoLink(in: text, base: stage.mainstay) else {
            return false
        }
        var request = HTTPClientRequest(url: link)
        let page = try await HTTPClient.shared.execute(request, timeout: .seconds(5))
        _ = try await page.body.collect(upTo: 1 << 20)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(5))
        _ = try await answer.body.collect(upTo: 1 << 20)
        console.line(nil, "The person on call presses the mail's undo link (HTTP \(answer.status.code))", original: nil)
        return (200..<400).contains(Int(answer.status.code))
    }

    /// The plain text's line after the one that says "Undo".
    static func undoLink(in mail: String, base: String) -> String? {
        let plain = MailText.plain(mail)
        var offersUndo = false
        for line in plain.split(separator: "\n", omittingEmptySubsequences: true) {
            if line.lowercased().contains("undo") { offersUndo = true }
            if offersUndo, let range = line.range(of: base + "/l/") {
                return String(line[range.lowerBound...].prefix { !$0.isWhitespace && $0 != ">" && $0 != ")" })
            }
        }
        return nil
    }
}

/// The little of MIME that reading Mainstay's own mails takes.
enum MailText {
    /// The text/plain part, decoded.
    static func plain(_ mail: String) -> String {
        let parts = mail.components(separatedBy: "\nContent-Type: ")
        let part = parts.first { $0.hasPrefix("text/plain") } ?? mail
        guard let start = part.range(of: "\n\n") else { return part }
        let head = part[..<start.lowerBound].lowercased()
        var body = String(part[start.upperBound...])
        if let end = body.range(of: "\n--") { body = String(body[..<end.lowerBound]) }
        if head.contains("base64") {
            let joined = body.filter { !$0.isWhitespace }
            return Data(base64Encoded: joined).map { String(decoding: $0, as: UTF8.self) } ?? body
        }
        return head.contains("quoted-printable") ? quotedPrintable(body) : body
    }

    private static func quotedPrintable(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.replacingOccurrences(of: "=\n", with: "").utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "="), digits.count == 2,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
