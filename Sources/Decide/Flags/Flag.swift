/// A flag as the record keeps it.
///
/// Invariants:
/// 1. `version` grows by one with every change of what is served, and with nothing else.
/// 2. `definition` is valid: it compiles, and its default variant exists.
/// 3. While a rollout runs, `definition` is what everyone outside its share gets; undoing the rollout is dropping it.
/// 4. Undoing a change twice, or one that is no longer in force, changes nothing.
package struct Flag: Hashable, Sendable, Codable {
    /// A rollout's hold on the flag.
    package struct Rolling: Hashable, Sendable, Codable {
        package var rollout: String
        package var change: String
        package var variant: String
        /// Basis points of users.
        package var share: Int
    }

    /// What was in force before a change, so that it can be taken back.
    package struct Past: Hashable, Sendable, Codable {
        package var change: String
        package var before: FlagDefinition
    }

    package static let pastLimit = 20

    package var service: String
    package var key: String
    package var definition: FlagDefinition
    package var rolling: Rolling?
    package var version: Int64
    /// Oldest first.
    package var past: [Past]

    package var rollout: Rolling? { rolling }

    /// What clients are given.
    package var served: FlagDefinition {
        guard let rolling else { return definition }
        return FlagRules.withRollout(definition, variant: rolling.variant, share: rolling.share)
    }

    package static func id(_ service: String, _ key: String) -> String { "\(service)/\(key)" }
}

package enum FlagEvent: Hashable, Sendable, Codable {
    /// The configuration, a service or a person says that this flag exists; keeps what is in force. A person says why.
    case declared(service: String, key: String, FlagDefinition, reason: String? = nil)
    case changed(FlagDefinition, reason: String)
    case rolledOut(FlagRolledOut)
    /// The rollout reached everyone: its variant is the new default.
    case rolloutCompleted(rollout: String)
    /// The change is taken back.
    case undone(change: String, reason: String, incident: String?)
}

package struct FlagRolledOut: Hashable, Sendable, Codable {
    package var rollout: String
    package var change: String
    package var variant: String
    package var share: Int
    package var release: String
    package var forced: Bool
    package var reason: String
}

extension Flag {
    static func step(_ flag: Flag?, _ event: Event, _ input: StepInput) throws(Refusal) -> Step<Flag> {
        guard case .flag(let event) = event else { throw Machine.misfit(event, input.subject) }
        if case .declared(let service, let key, let definition, let reason) = event {
            if let flag { return Step(flag) }
            return try declare(service, key, definition, reason, input)
        }
        guard let flag else { throw Refusal(.notFound, "There is no flag \(input.subject.id).") }
        switch event {
        case .declared: return Step(flag)
        case .changed(let definition, let reason): return try flag.change(to: definition, reason, input)
        case .rolledOut(let rolledOut): return try flag.rollOut(rolledOut, input)
        case .rolloutCompleted(let rollout): return flag.complete(rollout, input)
        case .undone(let change, let reason, let incident): return flag.undo(change, reason, incident, input)
        }
    }

    private static func declare(
        _ service: String, _ key: String, _ definition: FlagDefinition, _ reason: String?, _ input: StepInput
    ) throws(Refusal) -> Step<Flag> {
        try validate(key, definition)
        let new = Flag(service: service, key: key, definition: definition, rolling: nil, version: 1, past: [])
        var step = Step(new)
        let text = "Flag \(key) of \(service) declared"
        step.entries = [
            Entry(
                "flag.declared", reason.map { "\(text) by \(input.actor.name): \($0)" } ?? "\(text).", service: service,
                data: ["version": .integer(1), "flag": .string(key)])
        ]
        return step
    }

    private static func validate(_ key: String, _ definition: FlagDefinition) throws(Refusal) {
        if definition.variants.isEmpty { throw Refusal(.invalid, "Flag \(key) has no variants; give it at least one.") }
        if let name = definition.defaultVariant, definition.variants[name] == nil {
            let known = definition.variants.keys.sorted().joined(separator: ", ")
            throw Refusal(.invalid, "Flag \(key): the default variant '\(name)' is not among its variants (\(known)).")
        }
        let compiled = CompiledFlagSet(compiling: FlagSet(version: 1, flags: [key: definition]))
        if let problem = compiled.problems.first {
            throw Refusal(.invalid, "Flag \(key): \(problem.message)")
        }
    }

    private func change(to new: FlagDefinition, _ reason: String, _ input: StepInput) throws(Refusal) -> Step<Flag> {
        try Flag.validate(key, new)
        guard new != definition else { return Step(self) }
        if let rolling {
            throw Refusal(
                .conflict, "Rollout \(rolling.rollout) is changing flag \(key); undo or finish it first.")
        }
        var flag = self
        flag.version += 1
        let change = Change(
            id: "flag:\(service)/\(key)@\(flag.version)", kind: .flag, service: service, feature: feature(input),
            title: "\(key): \(Flag.difference(definition, new))", actor: input.actor, reason: reason, at: input.now,
            flagStep: Flag.step(from: definition, to: new, key, flag.version))
        flag.remember(change.id)
        flag.definition = new
        return flag.announce("flag.changed", "\(change.title) by \(input.actor.name): \(reason)", change, input)
    }

    private func rollOut(_ event: FlagRolledOut, _ input: StepInput) throws(Refusal) -> Step<Flag> {
        guard definition.variants[event.variant] != nil else {
            let known = definition.variants.keys.sorted().joined(separator: ", ")
            throw Refusal(.invalid, "Flag \(key) has no variant '\(event.variant)' (it has \(known)).")
        }
        if let rolling, rolling.rollout != event.rollout {
            throw Refusal(.conflict, "Rollout \(rolling.rollout) is already changing flag \(key).")
        }
        guard definition.state == .enabled else {
            throw Refusal(.conflict, "Flag \(key) is disabled; enable it before rolling out \(event.variant).")
        }
        var flag = self
        let isFirst = flag.rolling == nil
        flag.version += 1
        flag.rolling = Rolling(
            rollout: event.rollout, change: event.change, variant: event.variant, share: event.share)
        let title = "\(key) \(event.variant) to \(percent(basisPoints: event.share)) of users"
        var change = Change(
            id: event.change, kind: .release, service: service, feature: feature(input), title: title,
            actor: input.actor, reason: event.reason, at: input.now, release: event.release,
            flagStep: Change.FlagStep(
                flag: key, oldVariant: definition.defaultVariant ?? "", newVariant: event.variant,
                version: flag.version),
            forced: event.forced)
        if !isFirst, let known = input.facts.changes.first(where: { $0.id == event.change }) {
            change.at = known.at
            change.flagStep = known.flagStep
        }
        return flag.announce("flag.rolled_out", title + ".", change, input)
    }

    private func complete(_ rollout: String, _ input: StepInput) -> Step<Flag> {
        guard let rolling, rolling.rollout == rollout else { return Step(self) }
        var flag = self
        flag.remember(rolling.change)
        flag.definition.defaultVariant = rolling.variant
        flag.rolling = nil
        flag.version += 1
        var step = Step(flag)
        step.entries = [
            Entry(
                "flag.completed", "\(rolling.variant) is now the default of \(key).", service: service,
                feature: feature(input), change: rolling.change)
        ]
        return step
    }

    private func undo(_ change: String, _ reason: String, _ incident: String?, _ input: StepInput) -> Step<Flag> {
        var flag = self
        let ended: String
        if let rolling, rolling.change == change {
            flag.rolling = nil
            ended = rolling.variant
        } else if let index = past.firstIndex(where: { $0.change == change }) {
            ended = flag.definition.defaultVariant ?? "the change"
            flag.definition = past[index].before
            flag.past.removeSubrange(index...)
        } else {
            return Step(self)
        }
        flag.version += 1
        let back =
            flag.definition.defaultVariant.map { "everyone has \($0) again" } ?? "everyone has the code's default"
        var step = Step(flag)
        step.entries = [
            Entry(
                "flag.undone", "\(key): \(ended) undone, \(back). \(reason)", service: service,
                feature: feature(input), incident: incident, change: change,
                data: ["version": .integer(flag.version), "flag": .string(key)])
        ]
        if var line = input.facts.changes.first(where: { $0.id == change }) {
            line.undoneAt = input.now
            step.changes = [line]
        }
        if let rolling, rolling.change == change {
            step.forward(.rollout, rolling.rollout, .rollout(.undone(reason: reason)), by: input.actor)
        }
        if let incident { step.forward(.incident, incident, .incident(.changeUndone(change)), by: input.actor) }
        if let feature = feature(input) {
            step.forward(
                .feature, "\(service)/\(feature)", .feature(.changed(cause: "undone/\(change)/\(flag.version)")))
        }
        return step
    }

    private func announce(_ kind: String, _ text: String, _ change: Change, _ input: StepInput) -> Step<Flag> {
        var step = Step(self)
        step.changes = [change]
        step.entries = [
            Entry(
                kind, text, service: service, feature: change.feature, change: change.id,
                data: ["version": .integer(version), "flag": .string(key)])
        ]
        if let feature = change.feature {
            step.forward(
                .feature, "\(service)/\(feature)", .feature(.changed(cause: "\(change.id)/\(version)")))
        }
        return step
    }

    private func feature(_ input: StepInput) -> String? { input.policy.feature(ofFlag: key, in: service)?.name }

    private mutating func remember(_ change: String) {
        past.append(Past(change: change, before: definition))
        if past.count > Flag.pastLimit { past.removeFirst() }
    }

    /// What an experiment would compare: the default before against the default after, or against the one variant
    /// that the new targeting brings in.
    private static func step(
        from old: FlagDefinition, to new: FlagDefinition, _ key: String, _ version: Int64
    ) -> Change.FlagStep? {
        guard let before = old.defaultVariant else { return nil }
        if let after = new.defaultVariant, after != before, new.state == .enabled {
            return Change.FlagStep(flag: key, oldVariant: before, newVariant: after, version: version)
        }
        let named = new.targeting?.strings ?? []
        let formerly = old.targeting?.strings ?? []
        let brought = new.variants.keys.filter { named.contains($0) && !formerly.contains($0) && $0 != before }
        guard brought.count == 1, let after = brought.first else { return nil }
        return Change.FlagStep(flag: key, oldVariant: before, newVariant: after, version: version)
    }

    private static func difference(_ old: FlagDefinition, _ new: FlagDefinition) -> String {
        if old.state != new.state { return new.state == .enabled ? "enabled" : "disabled" }
        if old.defaultVariant != new.defaultVariant {
            return "default \(old.defaultVariant ?? "none") → \(new.defaultVariant ?? "none")"
        }
        if old.targeting != new.targeting { return "targeting changed" }
        return "definition changed"
    }
}
