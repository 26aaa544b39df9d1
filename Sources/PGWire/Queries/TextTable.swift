/// A bounded table from texts to what is known about them. Texts are compared byte by byte.
///
/// Chained buckets over a dense array. When it is full, a hand goes round and drops the first text that was not asked
/// for since the hand's last visit; it passes over at most 16, so that no insertion takes long.
final class TextTable {
    private struct Entry {
        var hash: UInt64
        var bytes: UnsafeMutablePointer<UInt8>
        var count: Int32
        /// The next entry of the same bucket, or -1.
        var next: Int32
        var cost: Int
        var wasUsed: Bool
        var info: QueryInfo
    }

    private static let passes = 16
    /// Of an entry beside its text and what is known.
    private static let overhead = 112

    private let entryLimit: Int
    private let byteLimit: Int
    private let entries: UnsafeMutablePointer<Entry>
    private let buckets: UnsafeMutablePointer<Int32>
    private let mask: UInt64
    private var hand = 0
    private(set) var count = 0
    private(set) var byteCount = 0
    private(set) var evictions = 0

    /// - Parameters:
    ///   - entryLimit: at least 1.
    ///   - byteLimit: for texts and what is known about them.
    init(entryLimit: Int, byteLimit: Int) {
        self.entryLimit = max(1, min(entryLimit, 1 << 24))
        self.byteLimit = byteLimit
        var size = 16
        while size < self.entryLimit * 2 { size *= 2 }
        mask = UInt64(size - 1)
        entries = .allocate(capacity: self.entryLimit)
        buckets = .allocate(capacity: size)
        buckets.initialize(repeating: -1, count: size)
    }

    deinit {
        for index in 0..<count { entries[index].bytes.deallocate() }
        entries.deinitialize(count: count)
        entries.deallocate()
        buckets.deallocate()
    }

    @inline(__always)
    func find(_ base: UnsafeRawPointer, count length: Int, hash: UInt64) -> QueryInfo? {
        var index = buckets[Int(truncatingIfNeeded: hash & mask)]
        while index >= 0 {
            let entry = entries + Int(index)
            if entry.pointee.hash == hash, Int(entry.pointee.count) == length,
                Self.isSame(base, entry.pointee.bytes, count: length)
            {
                entry.pointee.wasUsed = true
                return entry.pointee.info
            }
            index = entry.pointee.next
        }
        return nil
    }

    /// The text must not be in the table. What is too large for the whole table is not kept.
    func insert(_ base: UnsafeRawPointer, count length: Int, hash: UInt64, info: QueryInfo) {
        let cost = length + Self.overhead + info.footprint
        guard cost <= byteLimit else { return }
        while count == entryLimit || byteCount + cost > byteLimit { evict() }
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, length))
        UnsafeMutableRawPointer(bytes).copyMemory(from: base, byteCount: length)
        let bucket = buckets + Int(truncatingIfNeeded: hash & mask)
        (entries + count).initialize(
            to: Entry(
                hash: hash, bytes: bytes, count: Int32(length), next: bucket.pointee, cost: cost, wasUsed: false,
                info: info))
        bucket.pointee = Int32(count)
        count += 1
        byteCount += cost
    }

    // MARK: Eviction

    private func evict() {
        for _ in 0..<Self.passes {
            if hand >= count { hand = 0 }
            guard entries[hand].wasUsed else { break }
            entries[hand].wasUsed = false
            hand += 1
        }
        if hand >= count { hand = 0 }
        remove(hand)
        evictions += 1
    }

    /// The last entry takes the removed one's place.
    private func remove(_ index: Int) {
        let last = count - 1
        relink(index, to: entries[index].next)
        byteCount -= entries[index].cost
        entries[index].bytes.deallocate()
        (entries + index).deinitialize(count: 1)
        count = last
        guard index != last else { return }
        relink(last, to: Int32(index))
        (entries + index).moveInitialize(from: entries + last, count: 1)
    }

    /// Changes the one place where an entry's number stands: its bucket, or the entry before it there.
    private func relink(_ index: Int, to target: Int32) {
        let bucket = buckets + Int(truncatingIfNeeded: entries[index].hash & mask)
        guard Int(bucket.pointee) != index else {
            bucket.pointee = target
            return
        }
        var before = Int(bucket.pointee)
        while Int(entries[before].next) != index { before = Int(entries[before].next) }
        entries[before].next = target
    }

    @inline(__always)
    private static func isSame(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, count: Int) -> Bool {
        var offset = 0
        while offset + 8 <= count {
            let first = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard first == right.loadUnaligned(fromByteOffset: offset, as: UInt64.self) else { return false }
            offset += 8
        }
        while offset < count {
            guard
                left.load(fromByteOffset: offset, as: UInt8.self) == right.load(fromByteOffset: offset, as: UInt8.self)
            else { return false }
            offset += 1
        }
        return true
    }
}
