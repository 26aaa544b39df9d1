import Decide

/// A stretch of time cut into bars of equal length; the last bar holds the present and is still filling.
package struct TimeAxis: Hashable, Sendable {
    package var start: Instant
    package var end: Instant
    /// Length of the finest bar.
    package var grain: Span

    /// - Parameter bars: at least 1; the last one is the one that `now` falls into.
    package init(endingAt now: Instant, bars: Int, of grain: Span) {
        let size = max(1, grain.milliseconds)
        self.grain = Span(milliseconds: size)
        end = Instant(milliseconds: (now.milliseconds / size + 1) * size)
        start = end - self.grain * Int64(max(1, bars))
    }

    /// The last hour by the minute: what the dashboard shows.
    package static func hour(endingAt now: Instant) -> TimeAxis {
        TimeAxis(endingAt: now, bars: 60, of: .minutes(1))
    }

    package var length: Span { end - start }

    /// 0 at the start, 1 at the end; nil outside.
    package func position(_ at: Instant) -> Double? {
        guard at >= start, at <= end else { return nil }
        return Double((at - start).milliseconds) / Double(length.milliseconds)
    }

    /// The shortest length of bar that divides the axis evenly, is a multiple of the grain, and holds at least one
    /// run of something that runs every `interval`: a rare check would else look as if it were not run.
    package func bar(forEvery interval: Span) -> Span {
        let grains = length.milliseconds / grain.milliseconds
        for count in 1...max(1, grains) where grains % count == 0 && grain * count >= interval {
            return grain * count
        }
        return length
    }
}
