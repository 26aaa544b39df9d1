import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Record

/// Figures about Mainstay itself, as Prometheus text 0.0.4.
enum MetricsAPI {
    static let endpoints: [Endpoint] = [
        Endpoint(
            .get, "/metrics", "Tells Mainstay's own figures.", access: .open,
            answers: [.text("text/plain", "Prometheus text 0.0.4.")]
        ) { call in
            var text = MetricsText()
            text.add(own(call.services))
            text.add(try await recorded(call.services.record))
            for gauge in call.services.gauges { text.add(try await gauge()) }
            text.addRequests(call.services.metrics.now)
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text.text)))
        }
    ]

    private static func own(_ services: WebServices) -> [MetricSample] {
        var samples = [
            MetricSample(
                "mainstay_info", "Version of this process.", labels: [("version", services.version)], value: 1),
            MetricSample(
                "mainstay_streams_open", "Streams of flags and of the timeline that are open.",
                value: Double(services.streams.taken)),
            MetricSample(
                "mainstay_flag_clients", "Services connected to the stream of flags.",
                value: Double(services.flagHub.clients)),
        ]
        for (limit, count) in services.limits.refusals {
            samples.append(
                MetricSample(
                    "mainstay_rate_limited_total", "Requests refused by a rate limit.", kind: .counter,
                    labels: [("limit", limit)], value: Double(count)))
        }
        return samples
    }

    private static func recorded(_ record: Record) async throws -> [MetricSample] {
        let depth = try await record.outboxDepth()
        var samples = [Effect.Lane.act, .observe].map { lane in
            MetricSample(
                "mainstay_outbox_depth", "Effects not yet done.", labels: [("lane", lane.rawValue)],
                value: Double(depth[lane.rawValue] ?? 0))
        }
        let known = record.policy.checks
        let states = try await record.things(.check, limit: 2_000).compactMap(\.thing.check)
            .filter { known[$0.id] != nil }
        for status in ["passing", "failing"] {
            samples.append(
                MetricSample(
                    "mainstay_checks", "Checks by state.", labels: [("status", status)],
                    value: Double(states.count { $0.status.rawValue == status })))
        }
        samples.append(
            MetricSample(
                "mainstay_checks", "Checks by state.", labels: [("status", "unknown")],
                value: Double(known.count - states.count { $0.status != .unknown })))
        let open = try await record.things(
            .incident, statuses: Incident.Status.allCases.filter(\.isOpen).map(\.rawValue), limit: 2_000)
        samples.append(
            MetricSample("mainstay_incidents_open", "Incidents that are not over.", value: Double(open.count)))
        samples.append(
            MetricSample(
                "mainstay_timeline_head", "Id of the newest line of the timeline.", kind: .counter,
                value: Double(try await record.timelineHead())))
        return samples
    }
}

/// Writes Prometheus text: help and type once a name, names not mixed.
struct MetricsText {
    private(set) var text = ""
    private var named: Set<String> = []

    mutating func add(_ samples: [MetricSample]) {
        for sample in samples {
            if named.insert(sample.name).inserted {
                text += "# HELP \(sample.name) \(sample.help)\n# TYPE \(sample.name) \(sample.kind.rawValue)\n"
            }
            line(sample.name, sample.labels, sample.value)
        }
    }

    mutating func addRequests(_ figures: WebMetrics.Figures) {
        add(
            figures.requests.sorted {
                ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
            }
            .map { key, count in
                MetricSample(
                    "mainstay_http_requests_total", "Requests answered.", kind: .counter,
                    labels: [("method", key.method), ("route", key.route), ("status", String(key.status))],
                    value: Double(count))
            })
        let name = "mainstay_http_request_duration_seconds"
        text += "# HELP \(name) Time to the answer's head.\n# TYPE \(name) histogram\n"
        for (bound, count) in zip(WebMetrics.bounds, figures.within) {
            line("\(name)_bucket", [("le", String(bound))], Double(count))
        }
        line("\(name)_bucket", [("le", "+Inf")], Double(figures.total))
        line("\(name)_sum", [], figures.seconds)
        line("\(name)_count", [], Double(figures.total))
    }

    private mutating func line(_ name: String, _ labels: [(name: String, value: String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.name)=\"\(Self.escape($0.value))\"" }.joined(separator: ",") + "}"
        }
        let whole = Int64(exactly: value)
        text += " \(whole.map { String($0) } ?? String(value))\n"
    }

    private static func escape(_ value: String) -> String {
        var escaped = ""
        for character in value {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
