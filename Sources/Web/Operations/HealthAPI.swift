import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// Whether Mainstay does its own work: for load balancers and for whoever watches the watchman.
enum HealthAPI {
    private static let patience: Span = .seconds(2)

    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/healthz", "Tells whether Mainstay works.", access: .open,
            answers: [.json("Health", "It works."), .json("Health", status: 503, "It does not; `reasons` say why.")]
        ) { call in
            let reasons = await complaints(call.services)
            return Response(
                status: reasons.isEmpty ? .ok : .serviceUnavailable,
                json: [
                    "status": .string(reasons.isEmpty ? "ok" : "failing"), "version": .string(call.services.version),
                    "reasons": .array(reasons.map(JSONValue.string)),
                ])
        }
    ]

    private static func complaints(_ services: WebServices) async -> [String] {
        let record = services.record
        let database = Vital("database") {
            do {
                _ = try await record.timelineHead()
                return nil
            } catch {
                return "it does not answer"
            }
        }
        var complaints: [String] = []
        for vital in [database] + services.vitals {
            if let complaint = await inTime(vital) { complaints.append("\(vital.name): \(complaint)") }
        }
        return complaints
    }

    /// A question that hangs is an answer too.
    private static func inTime(_ vital: Vital) async -> String? {
        await withTaskGroup(of: String?.self) { group in
            group.addTask { await vital.complaint() }
            group.addTask {
                do { try await Task.sleep(for: patience.duration) } catch { return nil }
                return "no answer within \(patience)"
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    static let schemas: [String: JSONValue] = [
        "Health": Schema.object([
            "status": Schema.word("ok", "failing"), "version": Schema.text, "reasons": Schema.list(Schema.text),
        ])
    ]
}
