import Synchronization

/// How often something ran.
package final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    package init() {}

    package var value: Int { count.load(ordering: .sequentiallyConsistent) }

    @discardableResult
    package func next() -> Int { count.add(1, ordering: .sequentiallyConsistent).newValue }
}
