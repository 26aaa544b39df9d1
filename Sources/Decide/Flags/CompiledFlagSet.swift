/// A flag set made ready to evaluate: rules parsed, references resolved, every possible answer built.
///
/// 1. Compiling never fails as a whole: a flag that cannot be evaluated is listed in `problems` and answers
///    `ERROR`; the others work.
/// 2. Evaluating reads values only, so a compiled set may be shared by all threads.
/// 3. The work of one evaluation is bounded (`LogicRun.budget`), whatever the rule and the context.
package struct CompiledFlagSet: Sendable {
    private struct Flag: Sendable {
        enum Plan: Sendable {
            case fixed(Evaluation)
            case rule(LogicNode, otherwise: Evaluation)
        }

        var plan: Plan
        /// The answer for each variant, when targeting names it.
        var matches: [String: Evaluation]
        var metadata: [String: JSONValue]
    }

    package let version: Int64
    /// By flag key.
    package let problems: [FlagProblem]
    /// Whether any rule reads the time, so that an answer may change although nothing else did.
    package let readsTimestamp: Bool
    private let flags: [String: Flag]

    package init(compiling set: FlagSet) {
        var flags: [String: Flag] = [:]
        var problems: [FlagProblem] = []
        var readsTimestamp = false
        for (key, definition) in set.flags {
            var builder = Builder(key: key, definition: definition, set: set)
            do {
                flags[key] = try builder.flag()
                readsTimestamp = readsTimestamp || builder.readsTimestamp
            } catch {
                problems.append(FlagProblem(flag: key, message: error.message))
                flags[key] = Flag(plan: .fixed(builder.failure(error)), matches: [:], metadata: builder.metadata)
            }
        }
        self.version = set.version
        self.flags = flags
        self.problems = problems.sorted { $0.flag < $1.flag }
        self.readsTimestamp = readsTimestamp
    }

    /// Sorted.
    package var keys: [String] { flags.keys.sorted() }

    package func contains(_ key: String) -> Bool { flags[key] != nil }

    /// The set's metadata with the flag's own over it; empty for a flag that is not known.
    package func metadata(of key: String) -> [String: JSONValue] { flags[key]?.metadata ?? [:] }

    package func evaluate(_ key: String, context: EvaluationContext) -> Evaluation {
        guard let flag = flags[key] else {
            return Evaluation(
                key: key, reason: .error, errorCode: .flagNotFound, errorDetails: "There is no flag \(key).")
        }
        switch flag.plan {
        case .fixed(let evaluation): return evaluation
        case .rule(let node, let otherwise):
            var run = LogicRun(flagKey: key, context: context)
            do {
                return Self.choose(try run.value(of: node), flag, otherwise)
            } catch {
                return Self.failure(key, error.code, error.message, otherwise.version)
            }
        }
    }

    /// In the order of `keys`.
    package func evaluateAll(context: EvaluationContext) -> [Evaluation] {
        keys.map { evaluate($0, context: context) }
    }

    /// The answer if `variant` were chosen, whatever the rules say; nil if the flag has no such variant.
    package func evaluation(of key: String, forcing variant: String) -> Evaluation? {
        flags[key]?.matches[variant]
    }

    private static func choose(_ result: JSONValue, _ flag: Flag, _ otherwise: Evaluation) -> Evaluation {
        let name: String
        switch result {
        case .null: return otherwise
        case .string(let text): name = text
        case .bool, .integer, .double: name = LogicCoercion.text(result)
        case .array, .object:
            return failure(otherwise.key, .typeMismatch, "Targeting gave a list or an object.", otherwise.version)
        }
        if let match = flag.matches[name] { return match }
        return failure(
            otherwise.key, .general, "Targeting gave '\(name.prefix(80))', which is not a variant.", otherwise.version)
    }

    private static func failure(
        _ key: String, _ code: Evaluation.ErrorCode, _ message: String, _ version: Int64
    ) -> Evaluation {
        Evaluation(key: key, reason: .error, errorCode: code, errorDetails: message, version: version)
    }
}

extension CompiledFlagSet {
    private struct Builder {
        let key: String
        let definition: FlagDefinition
        let version: Int64
        let metadata: [String: JSONValue]
        let set: FlagSet
        var readsTimestamp = false

        init(key: String, definition: FlagDefinition, set: FlagSet) {
            self.key = key
            self.definition = definition
            self.set = set
            version = set.versions[key] ?? set.version
            metadata = (set.metadata ?? [:]).merging(definition.metadata ?? [:]) { _, own in own }
        }

        mutating func flag() throws(LogicFailure) -> Flag {
            let matches = outcomes(.targetingMatch)
            if definition.state == .disabled {
                let evaluation = Evaluation(key: key, reason: .disabled, version: version)
                return Flag(plan: .fixed(evaluation), matches: matches, metadata: metadata)
            }
            guard let targeting = definition.targeting, targeting != .null, targeting != .object([:]) else {
                let reason: Evaluation.Reason = definition.defaultVariant == nil ? .default : .static
                return Flag(plan: .fixed(try fallback(reason)), matches: matches, metadata: metadata)
            }
            var compiler = LogicCompiler(
                flagKey: key, evaluators: set.evaluators ?? [:], fractionalVersion: set.metadata?["fractionalVersion"])
            let node = try compiler.compile(targeting)
            readsTimestamp = compiler.readsTimestamp
            let plan = Flag.Plan.rule(node, otherwise: try fallback(.default))
            return Flag(plan: plan, matches: matches, metadata: metadata)
        }

        func failure(_ error: LogicFailure) -> Evaluation {
            CompiledFlagSet.failure(key, error.code, error.message, version)
        }

        private func outcomes(_ reason: Evaluation.Reason) -> [String: Evaluation] {
            var outcomes: [String: Evaluation] = [:]
            for (variant, value) in definition.variants {
                outcomes[variant] = Evaluation(
                    key: key, variant: variant, value: value, reason: reason, version: version)
            }
            return outcomes
        }

        private func fallback(_ reason: Evaluation.Reason) throws(LogicFailure) -> Evaluation {
            guard let variant = definition.defaultVariant else {
                return Evaluation(key: key, reason: .default, version: version)
            }
            guard let value = definition.variants[variant] else {
                throw LogicFailure(.parseError, "The default variant '\(variant)' is not among the variants.")
            }
            return Evaluation(key: key, variant: variant, value: value, reason: reason, version: version)
        }
    }
}
