/// Why a query does not get a slot, in the words of the ErrorResponse that its client is sent.
///
/// The SQLSTATE is 53000 for all of them: drivers retry 40001, 40P01, 08xxx and 57P01 by themselves, and a retry is
/// what an overloaded database needs least.
package struct Rejection: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        case overBudget
        case breakerOpen
        case blockedByHand(String)
        case limitedByHand(String)
        case queueFull
        case queueTimeout(Span)
    }

    package var query: QueryKey
    package var reason: Reason

    package init(_ query: QueryKey, _ reason: Reason) {
        self.query = query
        self.reason = reason
    }

    package static let sqlState = "53000"
    package static let severity = "ERROR"

    package var message: String {
        switch reason {
        case .overBudget:
            "[mainstay] query \(query.hex) is over its budget; retry after 5 s"
        case .breakerOpen:
            "[mainstay] query \(query.hex) keeps failing for want of room in the database; retry after 5 s"
        case .blockedByHand(let why):
            "[mainstay] query \(query.hex) is blocked by a rule: \(why)"
        case .limitedByHand(let why):
            "[mainstay] query \(query.hex) is over the limit of a rule: \(why); retry after 5 s"
        case .queueFull:
            "[mainstay] too many queries wait for a server connection; retry after 5 s"
        case .queueTimeout(let wait):
            "[mainstay] no server connection came free within \(wait.spoken)"
        }
    }
}
