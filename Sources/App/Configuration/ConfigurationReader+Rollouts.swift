import Decide

/// Gates and rollouts: named ones, and those that a feature writes out.
extension ConfigurationReader {
    private enum Tests: String, CaseIterable {
        case required, none
    }

    func readGates() {
        let fields = top["gates"]?.entries("gate") ?? []
        declare("gate", fields)
        for field in fields { gates[field.name] = gate(field) }
    }

    /// By name, or written out.
    func gatePolicy(_ field: Field?) -> GatePolicy {
        guard let field else { return gates["default"] ?? GatePolicy() }
        if field.isMap { return gate(field) }
        return reference(field, "gate").flatMap { gates[$0] } ?? GatePolicy()
    }

    private func gate(_ field: Field) -> GatePolicy {
        var policy = GatePolicy()
        let section = Section(field, "a mapping with tests and approvals")
        if let tests = section["tests"]?.choice(Tests.self) { policy.testsRequired = tests == .required }
        if let approvals = section["approvals"]?.integer(0...10) { policy.approvals = approvals }
        section.finish()
        return policy
    }

    func readRollouts() {
        let builtIn = RolloutPolicy()
        rollouts[builtIn.name] = builtIn
        let fields = top["rollouts"]?.entries("rollout") ?? []
        declare("rollout", fields)
        declared["rollout", default: []].insert(builtIn.name)
        for field in fields { rollouts[field.name] = rollout(field, name: field.name) }
    }

    /// By name, or written out.
    func rolloutPolicy(_ field: Field?, feature: String) -> RolloutPolicy {
        guard let field else { return rollouts["default"] ?? RolloutPolicy() }
        if field.isList { return rollout(field, name: feature) }
        return reference(field, "rollout").flatMap { rollouts[$0] } ?? RolloutPolicy()
    }

    private func rollout(_ field: Field, name: String) -> RolloutPolicy {
        let items = field.list("stages such as { share: 5%, hold: 1m }")
        guard !items.isEmpty else {
            if field.isList { field.problem("a rollout needs at least one stage: the last one is { share: 100% }") }
            return RolloutPolicy(name: name, stages: [])
        }
        if items.count > 20 { field.problem("a rollout has at most 20 stages") }
        var stages: [RolloutPolicy.Stage] = []
        for (index, item) in items.enumerated() {
            let isLast = index == items.count - 1
            guard let stage = stage(item, isLast: isLast) else { continue }
            if let before = stages.last, stage.share <= before.share {
                item.problem(
                    "the share must grow from stage to stage: \(percent(stage.share)) comes after \(percent(before.share))"
                )
            } else if isLast, stage.share != FlagRules.everyone {
                item.problem("a rollout ends with { share: 100% }; this one ends at \(percent(stage.share))")
            }
            stages.append(stage)
        }
        return RolloutPolicy(name: name, stages: stages)
    }

    private func stage(_ field: Field, isLast: Bool) -> RolloutPolicy.Stage? {
        let section = Section(field, "a stage such as { share: 5%, hold: 1m }")
        let share = section.required("share", "how many of the users, such as 5%").flatMap(share)
        let hold = section["hold"]?.span(.zero ... .days(30))
        if section["hold"] == nil, !isLast, let share, share < FlagRules.everyone {
            field.problem("'hold' is missing: how long to watch before the next stage, such as 1m")
        }
        section.finish()
        return share.map { RolloutPolicy.Stage(share: $0, hold: hold ?? .zero) }
    }

    /// `5%`, `0.5%`: in basis points.
    private func share(_ field: Field) -> Int? {
        guard let text = field.text("a share such as 5%") else { return nil }
        let parts = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : ""
        guard text.hasSuffix("%"), parts.count <= 2, fraction.utf8.count <= 2, let whole = Int(parts[0]), whole >= 0,
            let hundredths = Int("\(fraction)" + String(repeating: "0", count: 2 - fraction.utf8.count)),
            hundredths >= 0,
            (1...FlagRules.everyone).contains(min(whole, 101) * 100 + hundredths)
        else {
            field.problem("'\(field.written)' is not a share from 0.01% to 100%")
            return nil
        }
        return whole * 100 + hundredths
    }

    private func percent(_ share: Int) -> String {
        let rest = share % 100
        let fraction = rest == 0 ? "" : rest % 10 == 0 ? ".\(rest / 10)" : rest < 10 ? ".0\(rest)" : ".\(rest)"
        return "\(share / 100)\(fraction)%"
    }
}
