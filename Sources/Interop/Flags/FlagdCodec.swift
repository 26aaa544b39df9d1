import Decide

/// Why a flag file was not taken. Nothing of it is in force.
package struct FlagdError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        case tooLarge, notJSON, wrongShape, badDefaultVariant
    }

    package var code: Code
    /// The flag it is about; nil when it is about the whole.
    package var flag: String?
    package var message: String

    package init(_ code: Code, flag: String? = nil, _ message: String) {
        self.code = code
        self.flag = flag
        self.message = message
    }

    package var description: String { flag.map { "Flag \($0): \(message)" } ?? message }
}

/// flagd's flag definitions as JSON: `{"flags": {…} or […], "$evaluators": {…}, "metadata": {…}}`, and Mainstay's own
/// members `version` and `versions`, which flagd ignores. Keys that are not known are ignored, as flagd does.
package enum FlagdCodec {
    /// Larger files are refused.
    package static let maximumBytes = 4 * 1_024 * 1_024
    package static let maximumFlags = 10_000

    package static func decode(_ bytes: [UInt8]) throws(FlagdError) -> FlagSet {
        guard bytes.count <= maximumBytes else {
            throw FlagdError(.tooLarge, "The flag definitions are larger than \(maximumBytes) bytes.")
        }
        let root: JSONValue
        do {
            root = try JSONValue(parsing: bytes)
        } catch {
            throw FlagdError(.notJSON, "The flag definitions are not JSON: \(error).")
        }
        guard case .object(let members) = root else {
            throw FlagdError(.wrongShape, "The flag definitions must be an object with a member 'flags'.")
        }
        var set = FlagSet(version: try integer(members["version"], "version") ?? 0, flags: try flags(members["flags"]))
        set.evaluators = try object(members["$evaluators"], "$evaluators")
        set.metadata = try object(members["metadata"], "metadata")
        for (key, value) in try object(members["versions"], "versions") ?? [:] {
            set.versions[key] = try integer(value, "versions.\(key)")
        }
        return set
    }

    /// One line of JSON with sorted keys: equal sets have equal bytes.
    package static func encode(_ set: FlagSet) -> [UInt8] {
        var root: [String: JSONValue] = [
            "version": .integer(set.version),
            "versions": .object(set.versions.mapValues(JSONValue.integer)),
            "flags": .object(set.flags.mapValues(encode)),
        ]
        root["$evaluators"] = set.evaluators.map(JSONValue.object)
        root["metadata"] = set.metadata.map(JSONValue.object)
        return Array(JSONValue.object(root).compactText.utf8)
    }

    /// One flag as flagd writes it.
    package static func encode(_ flag: FlagDefinition) -> JSONValue {
        var members: [String: JSONValue] = [
            "state": .string(flag.state.rawValue),
            "variants": .object(flag.variants),
            "defaultVariant": flag.defaultVariant.map(JSONValue.string) ?? .null,
        ]
        members["targeting"] = flag.targeting
        members["metadata"] = flag.metadata.map(JSONValue.object)
        return .object(members)
    }

    /// One flag as flagd writes it; `key` is for errors.
    package static func decode(_ value: JSONValue, key: String) throws(FlagdError) -> FlagDefinition {
        guard case .object(let members) = value else { throw FlagdError(.wrongShape, flag: key, "must be an object.") }
        guard let state = members["state"]?.string.flatMap(FlagDefinition.State.init(rawValue:)) else {
            throw FlagdError(.wrongShape, flag: key, "'state' must be \"ENABLED\" or \"DISABLED\".")
        }
        guard case .object(let variants) = members["variants"] else {
            throw FlagdError(.wrongShape, flag: key, "'variants' must be an object.")
        }
        let targeting = members["targeting"] ?? .null
        guard targeting == .null || targeting.object != nil else {
            throw FlagdError(.wrongShape, flag: key, "'targeting' must be an object.")
        }
        guard (members["metadata"] ?? [:]).object != nil else {
            throw FlagdError(.wrongShape, flag: key, "'metadata' must be an object.")
        }
        return FlagDefinition(
            state: state, variants: variants,
            defaultVariant: try defaultVariant(members["defaultVariant"], of: key, variants),
            targeting: targeting == .null ? Optional.none : targeting, metadata: members["metadata"]?.object)
    }

    private static func defaultVariant(
        _ value: JSONValue?, of key: String, _ variants: [String: JSONValue]
    ) throws(FlagdError) -> String? {
        switch value {
        case nil, .null: return nil
        case .string(let name) where variants[name] != nil: return name
        case .string(let name):
            let known = variants.keys.sorted().prefix(20).joined(separator: ", ")
            throw FlagdError(
                .badDefaultVariant, flag: key,
                "'defaultVariant' is '\(name.prefix(80))', which is not one of: \(known).")
        default: throw FlagdError(.badDefaultVariant, flag: key, "'defaultVariant' must be text or null.")
        }
    }

    private static func flags(_ value: JSONValue?) throws(FlagdError) -> [String: FlagDefinition] {
        var flags: [String: FlagDefinition] = [:]
        switch value {
        case .object(let members):
            try checkCount(members.count)
            for (key, flag) in members { flags[key] = try decode(flag, key: key) }
        case .array(let items):
            try checkCount(items.count)
            for (index, item) in items.enumerated() {
                guard let key = item["key"]?.string, !key.isEmpty else {
                    throw FlagdError(.wrongShape, "'flags[\(index)]' needs a 'key'.")
                }
                guard flags.updateValue(try decode(item, key: key), forKey: key) == nil else {
                    throw FlagdError(.wrongShape, flag: key, "is there twice.")
                }
            }
        default: throw FlagdError(.wrongShape, "'flags' must be an object or a list.")
        }
        return flags
    }

    private static func checkCount(_ count: Int) throws(FlagdError) {
        guard count <= maximumFlags else {
            throw FlagdError(.tooLarge, "There are \(count) flags; at most \(maximumFlags) are taken.")
        }
    }

    private static func object(_ value: JSONValue?, _ name: String) throws(FlagdError) -> [String: JSONValue]? {
        switch value {
        case nil, .null: return nil
        case .object(let members): return members
        default: throw FlagdError(.wrongShape, "'\(name)' must be an object.")
        }
    }

    private static func integer(_ value: JSONValue?, _ name: String) throws(FlagdError) -> Int64? {
        switch value {
        case nil, .null: return nil
        case .integer(let number): return number
        default: throw FlagdError(.wrongShape, "'\(name)' must be a whole number.")
        }
    }
}
