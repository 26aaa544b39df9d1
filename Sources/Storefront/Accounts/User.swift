/// Someone who can sign in.
struct User: Sendable, Equatable {
    var id: Int64
    var email: String
    var name: String
    /// Mainstay's own user: does what people do, and is left out of every figure about people.
    var synthetic: Bool

    /// The name by which flags and exposures know the user.
    var key: String { String(id) }
}
