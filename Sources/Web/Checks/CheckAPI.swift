import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Record

/// Checks and journeys: whether they pass, what they found, and running one now.
enum CheckAPI {
    private static let failure = QueryParameter(
        "failure", "What went wrong; without it all is well.", Schema.text(1...1_000))

    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/api/v1/checks", "Lists the configured checks by name.", access: .role(.viewer),
            query: Paging.parameters + [QueryParameter("service", "Only of this service.")],
            answers: [.page(of: "Check")], handle: list),
        Endpoint(
            .get, "/api/v1/checks/{service}/{name}", "Shows a check with its results over time.",
            access: .role(.viewer),
            query: [
                QueryParameter(
                    "resolution", "Results rolled up by this; by minute unless told.",
                    Schema.word(Resolution.self)),
                QueryParameter("since", "Results since then; the last 500 spans unless told.", Schema.time),
            ],
            answers: [.json("CheckDetails", "The check.")], handle: show),
        Endpoint(
            .post, "/api/v1/checks/{service}/{name}/run", "Runs a check now.", access: .role(.responder),
            answers: [.json("CheckResult", "What it found.")], problems: [409], handle: run),
        heartbeat(.post, .scope(.heartbeats, orRole: .responder)),
        heartbeat(.get, .tokenScope(.heartbeats)),
        heartbeat(.head, .tokenScope(.heartbeats)),
    ]

    private enum Resolution: String, CaseIterable {
        case minute, hour, day

        var sample: SampleResolution {
            switch self {
            case .minute: .minute
            case .hour: .hour
            case .day: .day
            }
        }
    }

    private static func heartbeat(_ method: HTTPRequest.Method, _ access: AccessRule) -> Endpoint {
        Endpoint(
            method, "/api/v1/heartbeat/{service}/{name}", "Pings a heartbeat check.", access: access, query: [failure],
            answers: [.nothing(status: 204, "Heard.")], problems: [422]
        ) { call in
            let id = "\(try call.parameter("service"))/\(try call.parameter("name"))"
            try await call.services.record.apply(
                Subject(.check, id), .check(.pinged(failure: try call.query.text("failure", upTo: 1_000))),
                by: try call.actor())
            return Response(status: .noContent)
        }
    }

    @Sendable private static func list(_ call: Call) async throws -> Response {
        let paging = try Paging(call.query)
        let service = try call.query.text("service")
        let states = try await states(of: service, call)
        let checks = call.services.record.policy.checks.values
            .filter { service == nil || $0.service == service }.sorted { $0.id < $1.id }
        return paging.answer(whole: checks, name: \.id) { $0.json(states[$0.id]) }
    }

    private static func states(of service: String?, _ call: Call) async throws -> [String: CheckState] {
        let listed = try await call.services.record.things(.check, service: service, limit: 2_000)
        return Dictionary(listed.compactMap { $0.thing.check.map { ($0.id, $0) } }, uniquingKeysWith: { $1 })
    }

    @Sendable private static func show(_ call: Call) async throws -> Response {
        let (policy, record) = (try policy(call), call.services.record)
        let resolution = try call.query.word("resolution", Resolution.self)?.sample ?? .minute
        let standard = record.now() - Span(milliseconds: resolution.rawValue * 500)
        let samples = try await record.samples(
            policy.id, resolution, since: try call.query.instant("since") ?? standard)
        return Response(
            json: [
                "check": policy.json(try await record.check(policy.id)), "samples": .array(samples.map(\.json)),
            ])
    }

    @Sendable private static func run(_ call: Call) async throws -> Response {
        let policy = try policy(call)
        guard policy.heartbeatGrace == nil else {
            throw Problem(.conflict, "\(policy.id) is a heartbeat: it is pinged, not run.")
        }
        guard let result = await call.services.runCheck(policy.id) else {
            throw Problem(.conflict, "\(policy.id) cannot be run by this process now.")
        }
        return Response(json: result.json)
    }

    private static func policy(_ call: Call) throws -> CheckPolicy {
        let id = "\(try call.parameter("service"))/\(try call.parameter("name"))"
        guard let policy = call.services.record.policy.checks[id] else { throw Problem.notFound("check \(id)") }
        return policy
    }
}
