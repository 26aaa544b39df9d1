import Synchronization

/// Counts what the Storefront does, for Prometheus (text format 0.0.4).
///
/// The number of series is bounded: routes are the patterns of `Route`, methods and statuses are known ones.
final class Metrics: Sendable {
    /// Upper bounds of the latency buckets in seconds.
    static let buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    struct Request: Hashable, Sendable {
        var route: String
        var method: String
        var status: Int
        var synthetic: Bool
    }

    private struct Histogram {
        var counts = [UInt64](repeating: 0, count: Metrics.buckets.count + 1)
        var sum = 0.0
    }

    private struct State {
        var requests: [Request: UInt64] = [:]
        var latencies: [String: Histogram] = [:]
    }

    private let state = Mutex(State())

    func observe(_ request: Request, seconds: Double) {
        let bucket = Self.buckets.firstIndex { seconds <= $0 } ?? Self.buckets.count
        state.withLock { state in
            state.requests[request, default: 0] += 1
            // Latency is what people waited: the synthetic user's requests would only dilute it.
            guard !request.synthetic else { return }
            state.latencies[request.route, default: Histogram()].counts[bucket] += 1
            state.latencies[request.route]?.sum += seconds
        }
    }

    /// The counters and histograms; gauges are added by the caller.
    func text() -> String {
        let (requests, latencies) = state.withLock { ($0.requests, $0.latencies) }
        var lines = [
            "# HELP storefront_http_requests_total Requests answered.",
            "# TYPE storefront_http_requests_total counter",
        ]
        for (request, count) in requests.sorted(by: { Self.order($0.key) < Self.order($1.key) }) {
            lines.append(
                "storefront_http_requests_total{route=\"\(request.route)\",method=\"\(request.method)\","
                    + "status=\"\(request.status)\",synthetic=\"\(request.synthetic)\"} \(count)")
        }
        lines.append("# HELP storefront_http_request_duration_seconds Time to answer people, without synthetic users.")
        lines.append("# TYPE storefront_http_request_duration_seconds histogram")
        for (route, histogram) in latencies.sorted(by: { $0.key < $1.key }) {
            lines += Self.lines(route: route, histogram)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(route: String, _ histogram: Histogram) -> [String] {
        let name = "storefront_http_request_duration_seconds"
        var total: UInt64 = 0
        var lines: [String] = []
        for (index, count) in histogram.counts.enumerated() {
            total += count
            let bound = index < buckets.count ? "\(buckets[index])" : "+Inf"
            lines.append("\(name)_bucket{route=\"\(route)\",le=\"\(bound)\"} \(total)")
        }
        lines.append("\(name)_sum{route=\"\(route)\"} \(histogram.sum)")
        lines.append("\(name)_count{route=\"\(route)\"} \(total)")
        return lines
    }

    private static func order(_ request: Request) -> String {
        "\(request.route) \(request.method) \(request.status) \(request.synthetic)"
    }

    static func gauge(_ name: String, _ help: String, _ value: some BinaryInteger) -> String {
        "# HELP \(name) \(help)\n# TYPE \(name) gauge\n\(name) \(value)\n"
    }
}
