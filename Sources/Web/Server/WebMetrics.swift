import HTTPTypes
import Synchronization

/// Counts of requests for `/metrics`.
package final class WebMetrics: Sendable {
    struct RequestKey: Hashable, Sendable {
        var method: String
        /// The route, never the path: paths hold ids and secrets, and have no bound.
        var route: String
        var status: Int
    }

    /// Upper bounds in seconds.
    static let bounds: [Double] = [0.005, 0.025, 0.1, 0.5, 2.5]

    struct Figures: Sendable {
        var requests: [RequestKey: Int] = [:]
        /// Requests not longer than each bound.
        var within = [Int](repeating: 0, count: WebMetrics.bounds.count)
        var total = 0
        var seconds = 0.0
    }

    private let figures = Mutex(Figures())

    package init() {}

    func count(_ method: HTTPRequest.Method, _ route: String, _ status: HTTPResponse.Status, took: Duration) {
        let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
        // A method of one's own invention must not make a series of its own.
        let known: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .delete, .options]
        let key = RequestKey(
            method: known.contains(method) ? method.rawValue : "other", route: route, status: status.code)
        figures.withLock { figures in
            figures.requests[key, default: 0] += 1
            figures.total += 1
            figures.seconds += seconds
            for (index, bound) in WebMetrics.bounds.enumerated() where seconds <= bound { figures.within[index] += 1 }
        }
    }

    var now: Figures { figures.withLock { $0 } }
}

/// One line of Prometheus text.
package struct MetricSample: Sendable {
    package enum Kind: String, Sendable {
        case counter, gauge
    }

    package var name: String
    package var help: String
    package var kind: Kind
    package var labels: [(name: String, value: String)]
    package var value: Double

    package init(
        _ name: String, _ help: String, kind: Kind = .gauge, labels: [(name: String, value: String)] = [],
        value: Double
    ) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
        self.value = value
    }
}
