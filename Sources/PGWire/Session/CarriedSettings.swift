/// What a client has set in its session that a server does not report, to be said again to each server that it gets.
/// None is nil, never an empty one.
///
/// Equal ones are one object within a `Table` as long as that keeps them, so that they are compared by identity on the
/// way.
package final class CarriedSettings: Hashable {
    /// A client that sets more keeps its server.
    static let countLimit = 64
    static let byteLimit = 4_096

    struct Entry: Hashable {
        var name: String
        /// The command that sets it.
        var statement: String
    }

    /// By name.
    let entries: [Entry]
    /// Of prepared statements: clients with different search paths must not share them, since the server refuses a
    /// plan whose columns have other types in another path. 0: the path is the session's own.
    let space: UInt32

    private init(_ entries: [Entry], space: UInt32) {
        self.entries = entries
        self.space = space
    }

    package static func == (one: CarriedSettings, other: CarriedSettings) -> Bool { one.entries == other.entries }
    package func hash(into hasher: inout Hasher) { hasher.combine(entries) }

    package var count: Int { entries.count }

    func statement(of name: String) -> String? { entries.first { $0.name == name }?.statement }

    /// What brings a session from `old` to `new`: first everything back that is to go, since a setting may be refused
    /// for the sake of another. Nil when nothing differs.
    package static func difference(from old: CarriedSettings?, to new: CarriedSettings?) -> String? {
        let (before, after) = (old?.entries ?? [], new?.entries ?? [])
        var (resets, sets): ([String], [String]) = ([], [])
        var index = 0
        for entry in after {
            while index < before.count, before[index].name < entry.name {
                resets.append(reset(before[index].name))
                index += 1
            }
            if index < before.count, before[index].name == entry.name {
                if before[index].statement != entry.statement { sets.append(entry.statement) }
                index += 1
            } else {
                sets.append(entry.statement)
            }
        }
        resets += before[index...].map { reset($0.name) }
        return resets.isEmpty && sets.isEmpty ? nil : (resets + sets).joined(separator: "; ")
    }

    private static func reset(_ name: String) -> String { QuerySetting(name: name, values: []).statement }
}

extension CarriedSettings {
    /// The clients' settings of one event loop, each once.
    package final class Table {
        static let limit = 10_000

        private var known: Set<CarriedSettings> = []
        /// By the command that sets the search path.
        private var spaces: [String: UInt32] = [:]
        /// By the settings that say what a constant means.
        private var literals: [[String?]: UInt32] = [:]
        private var pairs: [UInt64: UInt32] = [:]
        private var lastSpace: UInt32 = 0

        package init() {}

        /// `old` after `changes`, one after the other.
        ///
        /// - Throws: `TooMany`.
        func settings(
            _ old: CarriedSettings?, after changes: some Sequence<QuerySetting>
        ) throws(TooMany) -> CarriedSettings? {
            var entries = old?.entries ?? []
            for change in changes {
                if change.isAll {
                    entries = []
                    continue
                }
                let place = entries.firstIndex { $0.name >= change.name } ?? entries.count
                if place < entries.count, entries[place].name == change.name { entries.remove(at: place) }
                if !change.isDefault {
                    entries.insert(Entry(name: change.name, statement: change.statement), at: place)
                }
            }
            guard entries.count <= CarriedSettings.countLimit,
                entries.reduce(0, { $0 + $1.statement.utf8.count }) <= CarriedSettings.byteLimit
            else { throw TooMany() }
            return intern(entries)
        }

        struct TooMany: Error {}

        private func intern(_ entries: [Entry]) -> CarriedSettings? {
            guard !entries.isEmpty else { return nil }
            if known.count >= Self.limit { known.removeAll() }
            return known.insert(CarriedSettings(entries, space: space(of: entries))).memberAfterInsert
        }

        private func space(of entries: [Entry]) -> UInt32 {
            guard let path = entries.first(where: { $0.name == "search_path" })?.statement else { return 0 }
            if let known = spaces[path] { return known }
            // Numbers are not given twice: statements of the old ones may be on servers still.
            if spaces.count >= Self.limit { spaces.removeAll() }
            let number = nextSpace()
            spaces[path] = number
            return number
        }

        private func nextSpace() -> UInt32 {
            lastSpace &+= 1
            if lastSpace == 0 { lastSpace = 1 }
            return lastSpace
        }

        /// The server reads a text's constants when it prepares it, and keeps them as what they meant then: clients
        /// that see times otherwise must not share it.
        private static let meaning = ["TimeZone", "DateStyle", "IntervalStyle", "client_encoding"]

        /// A number for what constants mean to a client; equal for equal settings.
        package func literals(_ reported: [String: String]) -> UInt32 {
            let key = Self.meaning.map { reported[$0] }
            if let known = literals[key] { return known }
            if literals.count >= Self.limit { literals.removeAll() }
            let number = nextSpace()
            literals[key] = number
            return number
        }

        /// For both together.
        func space(path: UInt32, literals: UInt32) -> UInt32 {
            guard literals != 0 else { return path }
            let key = UInt64(path) << 32 | UInt64(literals)
            if let known = pairs[key] { return known }
            if pairs.count >= Self.limit { pairs.removeAll() }
            let number = nextSpace()
            pairs[key] = number
            return number
        }
    }
}
