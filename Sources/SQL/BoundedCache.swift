/// Keeps the entries used last, up to a limit.
struct BoundedCache<Key: Hashable, Value> {
    private var entries: [Key: (value: Value, lastUse: UInt64)] = [:]
    private var clock: UInt64 = 0
    let limit: Int

    init(limit: Int) { self.limit = max(limit, 1) }

    var values: [Value] { entries.values.map(\.value) }

    mutating func value(_ key: Key) -> Value? {
        guard let index = entries.index(forKey: key) else { return nil }
        clock += 1
        entries.values[index].lastUse = clock
        return entries.values[index].value
    }

    /// - Returns: the entry that had to go to make room.
    mutating func insert(_ value: Value, for key: Key) -> Value? {
        clock += 1
        var evicted: Value?
        if entries[key] == nil, entries.count >= limit,
            let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            evicted = entries.removeValue(forKey: oldest.key)?.value
        }
        entries[key] = (value, clock)
        return evicted
    }

    mutating func remove(_ key: Key) { entries[key] = nil }

    mutating func removeAll() { entries.removeAll() }
}
