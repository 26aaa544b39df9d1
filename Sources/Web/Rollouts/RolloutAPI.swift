import Decide
import Hummingbird
import HummingbirdCore
import Record

/// Rollouts: how far a release has reached, and taking it back.
enum RolloutAPI {
    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/rollouts/{id}", "Shows a rollout; it has its release's id.", access: .role(.viewer),
            answers: [.json("Rollout", "The rollout.")], handle: show),
        Endpoint(
            .post, "/api/v1/rollouts/{id}/undo", "Takes the rollout's change back for everyone.",
            access: .role(.responder), body: .json(Schema.object(["reason": Schema.text(1...1_000)])),
            answers: [.json("Rollout", "Undone.")], problems: [409], handle: undo),
    ]

    @Sendable private static func show(_ call: Call) async throws -> Response {
        Response(json: try await rollout(call).json)
    }

    @Sendable private static func undo(_ call: Call) async throws -> Response {
        let rollout = try await rollout(call)
        var fields = try await call.fields()
        let reason = fields.text("reason", 1...1_000)
        try fields.done()
        let applied = try await call.services.record.apply(
            Subject(.flag, Flag.id(rollout.service, rollout.plan.flag)),
            .flag(.undone(change: rollout.change, reason: reason, incident: nil)), by: try call.actor())
        guard !applied.entries.isEmpty else {
            throw Problem(.conflict, "Rollout \(rollout.id) is not in force: there is nothing to take back.")
        }
        return try await show(call)
    }

    private static func rollout(_ call: Call) async throws -> Rollout {
        let id = try call.parameter("id")
        guard let rollout = try await call.services.record.rollout(id) else { throw Problem.notFound("rollout \(id)") }
        return rollout
    }
}

extension Rollout {
    var json: JSONValue {
        [
            "id": .string(id), "release": .string(plan.release), "service": .string(service),
            "feature": .string(plan.feature), "flag": .string(plan.flag), "variant": .string(plan.variant),
            "change": .string(change), "status": .string(status.rawValue), "stage": .count(stage),
            "share": .count(share), "forced": .bool(plan.forced), "reason": .string(plan.reason),
            "startedAt": .time(startedAt), "stageStartedAt": .time(stageStartedAt), "endedAt": .time(endedAt),
            "stages": .array(
                plan.stages.map { ["share": .count($0.share), "holdMs": .integer($0.hold.milliseconds)] }),
            "verdicts": .array(verdicts.map { .string($0.rawValue) }),
            "proof": .array(
                plan.proof.map { ["check": .string($0), "passedAt": .time(passes[$0])] }),
        ]
    }

    static let schemas: [String: JSONValue] = [
        "Rollout": Schema.object([
            "id": Schema.text, "release": Schema.text, "service": Schema.text, "feature": Schema.text,
            "flag": Schema.text, "variant": Schema.text, "change": Schema.text,
            "status": Schema.word("running", "suspended", "completed", "undone"), "stage": Schema.count,
            "share": Schema.integer(0...10_000), "forced": Schema.flag, "reason": Schema.text,
            "startedAt": Schema.time, "stageStartedAt": Schema.time, "endedAt": Schema.nullable(Schema.time),
            "stages": Schema.list(
                Schema.object(["share": Schema.integer(0...10_000), "holdMs": Schema.count])),
            "verdicts": Schema.list(Schema.word("WORSE", "PROVEN", "UNPROVEN")),
            "proof": Schema.list(Schema.object(["check": Schema.text, "passedAt": Schema.nullable(Schema.time)])),
        ])
    ]
}
