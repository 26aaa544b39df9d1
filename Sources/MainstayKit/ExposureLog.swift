import Decide

/// Which users saw which variant since the last batch, and who was active. A value: no clock, no I/O.
///
/// 1. A user counts once per flag, variant and version within a batch.
/// 2. At most `limit` user entries are held; what comes past it is counted in `dropped`, never waited for.
struct ExposureLog: Sendable {
    struct Key: Hashable, Sendable {
        var flag: String
        var variant: String
        var version: Int64
    }

    struct Entry: Sendable {
        var users: Set<UInt64> = []
        var first: Instant
        var last: Instant
        /// With repetitions.
        var count = 0
    }

    /// Bytes of a flag's or variant's name; the server takes no longer ones.
    static let nameLimit = 200

    let limit: Int
    private(set) var size = 0
    private(set) var dropped = 0
    private var entries: [Key: Entry] = [:]
    private var active: Set<UInt64> = []
    private var from: Instant?

    init(limit: Int) {
        self.limit = limit
    }

    mutating func record(_ flag: String, _ variant: String, _ version: Int64, _ user: UserHash, at now: Instant) {
        let key = Key(flag: flag, variant: variant, version: version)
        guard (1...Self.nameLimit).contains(flag.utf8.count), variant.utf8.count <= Self.nameLimit,
            size < limit || entries[key]?.users.contains(user.value) == true
        else {
            dropped += 1
            return
        }
        if from == nil { from = now }
        let isNew = entries[key, default: Entry(first: now, last: now)].add(user, at: now)
        if isNew { size += 1 }
    }

    mutating func recordActive(_ user: UserHash, at now: Instant) {
        if active.contains(user.value) { return }
        guard size < limit else {
            dropped += 1
            return
        }
        if from == nil { from = now }
        active.insert(user.value)
        size += 1
    }

    /// Takes everything out, in batches of at most `batchLimit` user entries; none if nothing happened.
    mutating func take(at now: Instant, batchLimit: Int) -> [ExposureBatch] {
        guard let from else { return [] }
        var batches: [ExposureBatch] = []
        var batch = ExposureBatch(from: from, to: now)
        var room = batchLimit
        func close() {
            batches.append(batch)
            batch = ExposureBatch(from: from, to: now)
            room = batchLimit
        }
        for (key, entry) in entries {
            if batch.exposures.count == ExposureBatch.exposureLimit { close() }
            var users = Array(entry.users)[...]
            var count = entry.count
            while !users.isEmpty {
                if room == 0 { close() }
                let part = users.prefix(room)
                users = users.dropFirst(part.count)
                // Repetitions are counted with the last part, so that the parts add up.
                let partCount = users.isEmpty ? count : part.count
                count -= partCount
                room -= part.count
                batch.exposures.append(
                    ExposureBatch.Exposure(
                        key: key, first: entry.first, last: entry.last, count: partCount,
                        users: part.map(UserHash.init(value:))))
            }
        }
        var rest = Array(active)[...]
        while !rest.isEmpty {
            if room == 0 { close() }
            let part = rest.prefix(room)
            rest = rest.dropFirst(part.count)
            room -= part.count
            batch.active += part.map(UserHash.init(value:))
        }
        close()
        entries = [:]
        active = []
        size = 0
        self.from = nil
        return batches
    }
}

extension ExposureLog.Entry {
    /// Gives whether the user was not in it.
    fileprivate mutating func add(_ user: UserHash, at now: Instant) -> Bool {
        last = now
        count += 1
        return users.insert(user.value).inserted
    }
}

/// What is sent at once.
struct ExposureBatch: Sendable {
    /// Flags, variants and versions in one batch; the server takes more, but not much more.
    static let exposureLimit = 1_000

    struct Exposure: Sendable {
        var key: ExposureLog.Key
        var first: Instant
        var last: Instant
        var count: Int
        var users: [UserHash]
    }

    var exposures: [Exposure] = []
    var active: [UserHash] = []
    var from: Instant
    var to: Instant

    init(from: Instant, to: Instant) {
        self.from = from
        self.to = to
    }

    /// The body of `POST /api/v1/exposures`; times are UTC milliseconds, users are `UserHash.hex`.
    func json(service: String, id: String) -> JSONValue {
        [
            "service": .string(service), "batch": .string(id),
            "from": .integer(from.milliseconds), "to": .integer(to.milliseconds),
            "exposures": .array(exposures.map(\.json)), "active": Self.list(active),
        ]
    }

    fileprivate static func list(_ users: [UserHash]) -> JSONValue {
        .array(users.map { .string($0.hex) })
    }
}

extension ExposureBatch.Exposure {
    fileprivate var json: JSONValue {
        [
            "flag": .string(key.flag), "variant": .string(key.variant), "version": .integer(key.version),
            "first": .integer(first.milliseconds), "last": .integer(last.milliseconds),
            "count": .integer(Int64(count)), "users": ExposureBatch.list(users),
        ]
    }
}
