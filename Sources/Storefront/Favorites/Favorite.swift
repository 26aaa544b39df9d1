import SQL

/// A product that a user likes.
struct Favorite: Sendable, Equatable {
    var product: Product
    /// Milliseconds since 1970, UTC.
    var addedAt: Int64
}

/// What became of a press on "Add to Favorites".
enum FavoriteOutcome: Sendable, Equatable {
    case added
    case alreadyThere
}

/// The implementations of "Add to Favorites" behind the flag `favorites`.
enum FavoritesVariant: String, Sendable, CaseIterable {
    static let flag = "favorites"

    case v1
    case v1b
    /// Carries the fault of the favorites outage.
    case v2

    func add(user: Int64, product: Int64, at now: Int64, on connection: any SQLConnection) throws -> FavoriteOutcome {
        switch self {
        case .v1: try FavoritesV1.add(user: user, product: product, at: now, on: connection)
        case .v1b: try FavoritesV1b.add(user: user, product: product, at: now, on: connection)
        case .v2: try FavoritesV2.add(user: user, product: product, at: now, on: connection)
        }
    }
}
