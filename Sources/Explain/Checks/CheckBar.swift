import Decide
import Record

/// What one check found in one stretch of time.
package struct CheckBar: Hashable, Sendable, Codable {
    package enum State: String, Hashable, Sendable, Codable {
        case passed, failed
        /// Some runs passed, some failed.
        case mixed
        /// It did not run: no data is not a pass.
        case silent
    }

    package var at: Instant
    package var length: Span
    package var runs: Int
    package var failures: Int
    package var tookAverage: Span
    package var tookMax: Span
    package var lastFailure: String?

    package var state: State {
        if runs == 0 { return .silent }
        if failures == 0 { return .passed }
        return failures < runs ? .mixed : .failed
    }

    /// Folds samples into the bars of an axis; samples outside it are left out.
    package static func fold(_ samples: [CheckSample], _ axis: TimeAxis, bar: Span) -> [CheckBar] {
        let count = Int(axis.length.milliseconds / max(1, bar.milliseconds))
        var bars = (0..<max(1, count)).map {
            CheckBar(
                at: axis.start + bar * Int64($0), length: bar, runs: 0, failures: 0, tookAverage: .zero, tookMax: .zero)
        }
        for sample in samples where sample.at >= axis.start && sample.at < axis.end {
            let index = Int((sample.at - axis.start).milliseconds / max(1, bar.milliseconds))
            guard bars.indices.contains(index) else { continue }
            bars[index].add(sample)
        }
        return bars
    }

    private mutating func add(_ sample: CheckSample) {
        let total = tookAverage * Int64(runs) + sample.tookAverage * Int64(sample.runs)
        runs += sample.runs
        failures += sample.failures
        tookAverage = Span(milliseconds: total.milliseconds / Int64(max(1, runs)))
        tookMax = max(tookMax, sample.tookMax)
        lastFailure = sample.lastFailure ?? lastFailure
    }
}
