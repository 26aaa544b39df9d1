import Decide

/// Spans of stored samples that together cover a time: whole days where they fit, then hours, then minutes, so that a
/// week is read in about two hundred spans and not in ten thousand.
package struct QueryTiles: Hashable, Sendable {
    package struct Tile: Hashable, Sendable {
        package var resolution: SampleResolution
        package var start: Instant
    }

    /// In order, one after the other without gap.
    package var tiles: [Tile]
    /// What they cover: as much of what was asked for as can be told apart. Samples of before and after are never in
    /// one tile of both.
    package var start: Instant
    package var end: Instant

    /// - Parameter end: from `now` on: up to the present, the spans that are not full yet included.
    package init(from start: Instant, to end: Instant, now: Instant) {
        let isOpen = end >= now
        let first = QueryTiles.finest(at: start, now).roundedUp(start)
        let last = isOpen ? now : QueryTiles.finest(at: end, now).roundedDown(end)
        (self.start, self.end, tiles) = (first, max(first, last), [])
        var cursor = first
        // What is counted in this very millisecond belongs to the span that begins with it.
        while isOpen ? cursor <= last : cursor < last {
            // The present day's sample holds what there is of it: nothing after now is in it.
            let tile = [SampleResolution.day, .hour, .minute].first { resolution in
                resolution.roundedUp(cursor) == cursor && (isOpen || cursor + resolution.span <= last)
            }
            guard let tile else { return }
            tiles.append(Tile(resolution: tile, start: cursor))
            cursor = cursor + tile.span
        }
    }

    /// The smallest spans that are still kept whole at a time. Housekeeping comes once an hour and in the middle of
    /// larger spans, so that one of those is left out.
    private static func finest(at instant: Instant, _ now: Instant) -> SampleResolution {
        if instant >= now - QueryStore.kept(.minute) + .hours(1) { return .minute }
        if instant >= now - QueryStore.kept(.hour) + .days(1) { return .hour }
        return .day
    }
}

extension SampleResolution {
    package var span: Span { Span(milliseconds: rawValue) }

    func roundedDown(_ instant: Instant) -> Instant { Instant(milliseconds: start(of: instant)) }
    func roundedUp(_ instant: Instant) -> Instant { roundedDown(instant + Span(milliseconds: rawValue - 1)) }
}
