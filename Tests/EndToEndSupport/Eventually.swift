import Testing

package struct Complaint: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}

/// How long something may take that has to happen at all; no statement about speed.
package let patience: Duration = .seconds(90)

/// The condition's first value; until then errors and nil mean "not yet".
@discardableResult
package func eventually<Value>(
    _ what: @autoclosure () -> String, within limit: Duration = patience, every pause: Duration = .milliseconds(50),
    _ condition: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    var last = "no answer yet"
    while ContinuousClock.now < deadline {
        try Task.checkCancellation()
        do {
            if let value = try await condition() { return value }
            last = "not so yet"
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            last = "\(error)"
        }
        try await Task.sleep(for: pause)
    }
    throw Complaint("did not happen within \(limit): \(what()) (\(last))")
}

/// The same for conditions that are true or false.
package func eventually(
    _ what: @autoclosure () -> String, within limit: Duration = patience, every pause: Duration = .milliseconds(50),
    isTrue condition: () async throws -> Bool
) async throws {
    try await eventually(what(), within: limit, every: pause) { try await condition() ? true : nil }
}

/// Gives up on what hangs.
package func within<Value: Sendable>(
    _ limit: Duration = patience, what: String, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw Complaint("did not happen within \(limit): \(what)")
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw Complaint(what) }
        return value
    }
}

/// Small seeded random numbers, so that a failing run can be repeated by its seed.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
