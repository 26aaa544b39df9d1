import Decide
import Foundation
import Yams

/// Reads a drill's file; every key is known, or the error names its line.
package struct DrillPlanError: Error, CustomStringConvertible {
    package var description: String
}

extension DrillPlan {
    package static func load(path: String) throws -> DrillPlan {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DrillPlanError(description: "\(path): there is no such file, or it cannot be read.")
        }
        guard data.count <= 262_144 else { throw DrillPlanError(description: "\(path): larger than 256 KiB.") }
        return try parse(String(decoding: data, as: UTF8.self), file: path)
    }

    package static func parse(_ text: String, file: String) throws -> DrillPlan {
        let node: Node?
        do {
            node = try compose(yaml: text)
        } catch {
            throw DrillPlanError(description: "\(file): \(error)")
        }
        guard let node else { throw DrillPlanError(description: "\(file): is empty.") }
        var top = try DrillReader(node, file: file, path: "")
        let plan = DrillPlan(
            scenario: try top.text("scenario"), title: try top.text("title"),
            users: try top.integer("users", 1...5_000, default: 300),
            featureUsers: try top.share("feature-users", default: 3_600),
            requestsPerSecond: try top.integer("requests-per-second", 1...5_000, default: 250),
            checkInterval: try top.span("check-interval", default: .seconds(5)),
            journeys: try top.bool("journeys", default: true),
            stages: try top.list("rollout") { reader in
                Stage(share: try reader.text("share"), hold: try reader.text("hold", default: "0s"))
            },
            release: try top.section("release", read: release),
            onCall: try top.choice("on-call", default: .nothing), end: try top.choice("end", default: .resolved),
            limit: try top.span("limit", default: .seconds(90)), expect: try top.section("expect", read: expectations),
            original: try top.optionalSection("original", read: original))
        try top.finish()
        return plan
    }

    private static func release(_ reader: inout DrillReader) throws -> Release {
        Release(
            feature: try reader.text("feature"), variant: try reader.text("variant"),
            commit: try reader.text("commit"), author: try reader.text("author"),
            evidence: try reader.bool("evidence", default: false), force: try reader.optionalText("force"))
    }

    private static func expectations(_ reader: inout DrillReader) throws -> Expectations {
        Expectations(
            blockedByGate: try reader.optional("blocked-by-gate") { try $0.bool("blocked-by-gate", default: false) },
            detectedWithin: try reader.optionalSpan("detected-within"),
            pagedWithin: try reader.optionalSpan("paged-within"),
            undoneWithin: try reader.optionalSpan("undone-within"),
            verifiedWithin: try reader.optionalSpan("verified-within"),
            affectedShareAtMost: try reader.optional("affected-share-at-most") {
                try $0.share("affected-share-at-most", default: 0)
            },
            suspectRank: try reader.optional("suspect-rank") { try $0.integer("suspect-rank", 1...100, default: 1) },
            proof: try reader.optional("proof") { try $0.bool("proof", default: false) },
            wrongUndos: try reader.optional("wrong-undos") { try $0.integer("wrong-undos", 0...100, default: 0) },
            lostEvents: try reader.optional("lost-events") { try $0.integer("lost-events", 0...100, default: 0) },
            reaches: try reader.optional("reaches") { try $0.share("reaches", default: 0) })
    }

    private static func original(_ reader: inout DrillReader) throws -> Original {
        Original(
            name: try reader.text("name"), affectedShare: try reader.share("affected-share", default: 0),
            moments: try reader.list("moments") { moment in
                Original.Moment(
                    after: try moment.span("after", default: .zero), what: try moment.text("what"),
                    beside: try moment.optionalText("beside"))
            })
    }
}
