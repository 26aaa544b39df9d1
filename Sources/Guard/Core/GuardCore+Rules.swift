import Decide
import Logging
import PGWire

/// Rules by hand, releases, and what is kept across a restart.
extension GuardCore {
    /// Ids of the console's own rules; the house's are not among them.
    static let consolePrefix = "console-"
    /// As many as a pool's budgets take.
    static let ruleLimit = 64

    /// The house's rules, in place of its earlier ones.
    func setRules(_ new: [GuardRule]) {
        for id in rules.keys where !id.hasPrefix(Self.consolePrefix) { remove(rule: id) }
        for rule in new.prefix(Self.ruleLimit - rules.count) where rule.until > instant { add(rule) }
        changed()
    }

    /// - Returns: its id.
    /// - Throws: when there are too many.
    func addConsoleRule(_ rule: BudgetRule, by user: String) throws(WireError) -> String {
        for (id, old) in rules where old.until <= instant { remove(rule: id) }
        guard rules.count < Self.ruleLimit else {
            throw WireError(
                .invalidParameter, sqlState: "54000",
                "there are \(Self.ruleLimit) rules already: SHOW RULES, then DROP RULE id")
        }
        let id = "\(Self.consolePrefix)\(nextRule)"
        nextRule += 1
        add(GuardRule(id: id, rule: rule, until: instant + rule.lasts, createdBy: user, createdAt: instant))
        changed()
        return id
    }

    /// False: there is none of this id.
    func dropRule(_ id: String) -> Bool {
        guard rules[id] != nil else { return false }
        remove(rule: id)
        changed()
        return true
    }

    private func add(_ rule: GuardRule) {
        rules[rule.id] = rule
        for group in groups.values { group.add(rule, instant) }
    }

    private func remove(rule id: String) {
        rules[id] = nil
        for group in groups.values { group.remove(id) }
    }

    // MARK: Releases

    private static let everywhere = ""

    func currentRelease(of database: String) -> String {
        let unnamed = settings.databases[database] == nil ? currentReleases[GuardSettings.anyDatabase] : nil
        return currentReleases[database] ?? unnamed ?? currentReleases[Self.everywhere] ?? ""
    }

    /// - Parameter database: nil: all; `*`: those that the settings do not name.
    func releaseStarted(_ release: String, database: String?) {
        refreshClock()
        if database == nil { currentReleases = [:] }
        currentReleases[database ?? Self.everywhere] = release
        if database == nil { watchedSince = [:] }
        watchedSince[database ?? Self.everywhere] = now
        for group in groups.values where concerns(database, group) { group.releaseStarted(release) }
    }

    func releaseProven(database: String?) {
        if database == nil { watchedSince = [:] }
        watchedSince[database ?? Self.everywhere] = nil
        for group in groups.values where concerns(database, group) { group.releaseProven() }
    }

    /// When the release was started that has yet to prove itself there; nil: none has.
    func watchedSince(of database: String) -> Int64? {
        let unnamed = settings.databases[database] == nil ? watchedSince[GuardSettings.anyDatabase] : nil
        return watchedSince[database] ?? unnamed ?? watchedSince[Self.everywhere]
    }

    private func concerns(_ database: String?, _ group: PoolGroup) -> Bool {
        guard let database else { return true }
        return database == GuardSettings.anyDatabase
            ? settings.databases[group.database] == nil : database == group.database
    }

    // MARK: Across a restart

    /// Something that is to outlive the process has changed.
    func changed() {
        onChange?(state)
    }

    var state: GuardState {
        var state = GuardState()
        state.savedAt = instant
        for group in groups.values {
            let kept = group.baselines
            if !kept.isEmpty { state.baselines[group.name] = kept }
        }
        state.baselines.merge(baselines.all(now)) { now, _ in now }
        state.rules = rules.values.filter { $0.id.hasPrefix(Self.consolePrefix) && $0.until > instant }
            .sorted { $0.id < $1.id }
        state.switched = switched.mapValues { "\($0)" }
        // A reload that changes them ends the switch: they are those that it was made against.
        state.switchedFrom = Dictionary(uniqueKeysWithValues: switched.keys.map { ($0, configuredPlaces(of: $0)) })
        return state
    }

    private func configuredPlaces(of database: String) -> [String] {
        (settings.database(database)?.targets ?? []).map { "\($0)" }
    }

    /// Before the first client.
    func restore(_ state: GuardState) {
        let days = max(0, (instant - state.savedAt).milliseconds / 86_400_000)
        for (group, records) in state.baselines {
            baselines.keep(records.map { $0.older(by: Int(clamping: days)) }, of: group, now)
        }
        for rule in state.rules where rule.until > instant {
            add(rule)
            if let number = Int(rule.id.dropFirst(Self.consolePrefix.count)) { nextRule = max(nextRule, number + 1) }
        }
        for (database, place) in state.switched {
            if let before = state.switchedFrom?[database], before != configuredPlaces(of: database) {
                // As at a reload: whoever changes the file means it.
                logger.notice(
                    "a switch by hand is over: the configuration has other targets now",
                    metadata: ["database": "\(database)", "target": "\(place)"])
                continue
            }
            do throws(WireError) {
                switched[database] = try target(at: place, for: database)
            } catch {
                logger.error(
                    "a switch by hand was forgotten", metadata: ["database": "\(database)", "cause": "\(error)"])
            }
        }
    }
}

/// What a guard keeps across a restart. What changes by the second is not in it.
package struct GuardState: Sendable, Codable, Equatable {
    package var savedAt = Instant(milliseconds: 0)
    /// What queries usually take, by pool (`database/user`).
    package var baselines: [String: [BaselineRecord]] = [:]
    /// Of the console.
    package var rules: [GuardRule] = []
    /// Databases that were moved by hand, and where to: `host:port`.
    package var switched: [String: String] = [:]
    /// The targets that the configuration had for them; nil in older files.
    package var switchedFrom: [String: [String]]?

    package init() {}
}

extension BaselineRecord {
    /// As it is some days later.
    func older(by days: Int) -> BaselineRecord {
        var copy = self
        for index in copy.days.indices { copy.days[index].age += days }
        return copy
    }
}
