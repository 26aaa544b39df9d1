import Decide

/// What queries usually take, of groups that there are not at the moment; bounded, the oldest goes first.
struct KeptBaselines {
    /// Records of all groups, of a few hundred bytes each.
    static let limit = 50_000
    private static let day: Int64 = 86_400_000_000_000

    private var groups: [String: (records: [BaselineRecord], since: Int64)] = [:]
    private var count = 0

    mutating func keep(_ records: [BaselineRecord], of group: String, _ now: Int64) {
        remove(group)
        guard !records.isEmpty, records.count <= Self.limit else { return }
        groups[group] = (records, now)
        count += records.count
        while count > Self.limit, let oldest = groups.min(by: { $0.value.since < $1.value.since }) {
            remove(oldest.key)
        }
    }

    private mutating func remove(_ group: String) {
        count -= groups.removeValue(forKey: group)?.records.count ?? 0
    }

    /// Nil: there are none.
    mutating func take(_ group: String, _ now: Int64) -> [BaselineRecord]? {
        guard let kept = groups[group] else { return nil }
        remove(group)
        return Self.aged(kept.records, now - kept.since)
    }

    func all(_ now: Int64) -> [String: [BaselineRecord]] {
        groups.mapValues { Self.aged($0.records, now - $0.since) }
    }

    private static func aged(_ records: [BaselineRecord], _ time: Int64) -> [BaselineRecord] {
        let days = Int(clamping: max(0, time) / day)
        return days == 0 ? records : records.map { $0.older(by: days) }
    }
}
