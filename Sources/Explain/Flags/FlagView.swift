import Decide
import Record

/// One flag: what is served, to whom, and how it came to be.
package struct FlagView: Sendable {
    package struct Variant: Hashable, Sendable {
        package var name: String
        package var value: JSONValue
        package var isDefault: Bool
        /// Basis points of users that a running rollout gives it to.
        package var rolledOut: Int?
        /// Distinct users who met it under the present version; nil when none was reported.
        package var users: Int?
    }

    package var flag: Flag
    package var feature: String?
    package var variants: [Variant]
    /// Newest first.
    package var history: [Change]
    package var rollout: Rollout?
    package var incident: IncidentLine?

    package static func load(
        service: String, key: String, _ record: Record, now: Instant
    ) async throws -> FlagView? {
        guard let flag = try await record.flag(service: service, key: key) else { return nil }
        let feature = record.policy.feature(ofFlag: key, in: service)?.name
        let exposures = try await record.exposures(since: now - .days(7)).filter {
            $0.service == service && $0.flag == key && $0.version == flag.version
        }
        var rollout: Rollout?
        if let id = flag.rolling?.rollout { rollout = try await record.rollout(id) }
        var incident: Incident?
        if let feature, let open = try await record.feature(service, feature)?.openIncident {
            incident = try await record.incident(open)
        }
        let changes = try await record.changes(service: service, limit: 500)
        return FlagView(
            flag: flag, feature: feature, variants: variants(flag, exposures),
            history: changes.filter { $0.touches(flag: key) }, rollout: rollout,
            incident: incident.map { IncidentLine($0, now: now) })
    }

    private static func variants(_ flag: Flag, _ exposures: [Exposure]) -> [Variant] {
        flag.definition.variants.sorted { $0.key < $1.key }.map { name, value in
            Variant(
                name: name, value: value, isDefault: name == flag.definition.defaultVariant,
                rolledOut: flag.rolling?.variant == name ? flag.rolling?.share : nil,
                users: exposures.first { $0.variant == name }?.users)
        }
    }

    /// The change that can be taken back now: the running rollout's, else the newest one that is remembered.
    package var undoable: Change? {
        let id = flag.rolling?.change ?? flag.past.last?.change
        return history.first { $0.id == id }
    }
}

/// Every flag, by service.
package struct FlagListView: Sendable {
    package struct Line: Hashable, Sendable {
        package var flag: Flag
        package var feature: String?
        package var lastChange: Change?
    }

    package var services: [(name: String, flags: [Line])]

    package static func load(_ record: Record) async throws -> FlagListView {
        let flags = try await record.things(.flag, limit: 2_000).compactMap(\.thing.flag)
        let changes = try await record.changes(limit: 500)
        let groups = Dictionary(grouping: flags, by: \.service).sorted { $0.key < $1.key }
        return FlagListView(
            services: groups.map { service, flags in
                let lines = flags.sorted { $0.key < $1.key }.map { flag in
                    Line(
                        flag: flag, feature: record.policy.feature(ofFlag: flag.key, in: service)?.name,
                        lastChange: changes.first { $0.service == service && $0.touches(flag: flag.key) })
                }
                return (service, lines)
            })
    }
}

extension Change {
    /// Whether this change was one of the given flag of its service.
    package func touches(flag key: String) -> Bool {
        flagStep?.flag == key || id.hasPrefix("flag:\(service)/\(key)@")
    }
}
