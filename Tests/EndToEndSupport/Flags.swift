import Decide
import NIOHTTP1

/// The flag that tests change.
package enum Flags {
    package static let path = "/api/v1/flags/storefront/favorites"

    package static func version(_ api: Door) async throws -> Int64 {
        try await api.get(path)["version"]?.integer ?? -1
    }

    /// A definition that differs from all others by its number.
    package static func body(number: Int, reason: String, variant: String = "v1") -> JSONValue {
        [
            "definition": [
                "state": "ENABLED", "variants": ["v1": "v1", "v1b": "v1b", "v2": "v2"],
                "defaultVariant": .string(variant), "metadata": ["number": .integer(Int64(number))],
            ], "reason": .string(reason),
        ]
    }

    package static func serve(_ variant: String, _ api: Door, reason: String = "for the test") async throws {
        let answer = try await api(.POST, path + "/default", ["variant": .string(variant), "reason": .string(reason)])
        guard answer.status == 200 else { throw Complaint("\(answer.status) \(answer.text)") }
    }
}
