/// What a person can do in the shop, by the names that Mainstay knows.
enum Feature: String, Sendable, CaseIterable {
    case favorites, products, posts, accounts, other

    var label: String {
        switch self {
        case .favorites: "Favorites"
        case .products: "Products and search"
        case .posts: "Posts"
        case .accounts: "Signing in or up"
        case .other: "Something else"
        }
    }
}
