import Decide
import Observe
import Web

/// What the other rooms tell `/metrics`.
enum Gauges {
    static func decisions(_ queue: DecisionQueue) -> [MetricSample] {
        [
            MetricSample(
                "mainstay_guard_decisions_waiting", "Decisions of the guard that are not recorded yet.",
                value: Double(queue.count)),
            MetricSample(
                "mainstay_guard_decisions_dropped_total",
                "Decisions of the guard that were not recorded, because too many waited or one like them did.",
                kind: .counter, value: Double(queue.dropped)),
        ]
    }

    static func scheduler(_ statistics: CheckScheduler.Statistics) -> [MetricSample] {
        [
            MetricSample(
                "mainstay_check_starts_total", "Planned check runs started.", kind: .counter,
                value: Double(statistics.started)),
            MetricSample(
                "mainstay_check_overlaps_total", "Planned starts skipped because the check was still running.",
                kind: .counter, value: Double(statistics.overlapped)),
            MetricSample(
                "mainstay_checks_running", "Check runs going on.", value: Double(statistics.running)),
            MetricSample(
                "mainstay_check_lateness_seconds", "Lateness of planned starts.",
                labels: [("quantile", "0.5")], value: Double(statistics.lateness.percentile(0.5)) / 1_000),
            MetricSample(
                "mainstay_check_lateness_seconds", "Lateness of planned starts.",
                labels: [("quantile", "0.99")], value: Double(statistics.lateness.percentile(0.99)) / 1_000),
        ]
    }
}
