extension OpenAPI {
    /// One method on one path, with everything it may answer.
    struct Operation: Sendable {
        var method: String
        var path: String
        var id: String
        var summary: String
        var tag: String
        var isSignedIn = false
        var parameters: [String] = []
        var body: String?
        var answers: [Answer]
        var problems: [Int]
    }

    /// An answer that is no problem.
    struct Answer: Sendable {
        var status: Int
        var description: String
        var schema: String?
        var type: String

        init(_ status: Int, _ description: String, _ schema: String? = nil, type: String = "application/json") {
            self.status = status
            self.description = description
            self.schema = schema
            self.type = type
        }
    }

    static let operations = accounts + products + favorites + posts + reports + machines

    private static let accounts = [
        Operation(
            method: "POST", path: "/api/users", id: "signUp", summary: "Make an account.", tag: "accounts",
            body: "NewUser", answers: [Answer(201, "The account.", "User")],
            problems: [400, 403, 409, 413, 415, 422, 429, 503]),
        Operation(
            method: "POST", path: "/api/session", id: "signIn", summary: "Sign in.", tag: "accounts",
            body: "Credentials", answers: [Answer(201, "The session and its token.", "Session")],
            problems: [400, 401, 403, 413, 415, 422, 429, 503]),
        Operation(
            method: "GET", path: "/api/session", id: "whoAmI", summary: "Who is signed in.", tag: "accounts",
            isSignedIn: true, answers: [Answer(200, "The user.", "User")], problems: [401, 503]),
        Operation(
            method: "DELETE", path: "/api/session", id: "signOut", summary: "Sign out.", tag: "accounts",
            isSignedIn: true, answers: [Answer(204, "The token is worth nothing any more.")],
            problems: [401, 403, 503]),
    ]

    private static let products = [
        Operation(
            method: "GET", path: "/api/products", id: "listProducts", summary: "Search the products.",
            tag: "products", parameters: ["q", "category", "page", "page_size"],
            answers: [Answer(200, "One page of them.", "ProductPage")], problems: [400, 422, 503]),
        Operation(
            method: "GET", path: "/api/products/{product}", id: "getProduct", summary: "One product.",
            tag: "products", parameters: ["product"], answers: [Answer(200, "The product.", "Product")],
            problems: [404, 503]),
    ]

    private static let favorites = [
        Operation(
            method: "GET", path: "/api/favorites", id: "listFavorites", summary: "One's favorites, newest first.",
            tag: "favorites", isSignedIn: true, parameters: ["page", "page_size"],
            answers: [Answer(200, "One page of them.", "FavoritePage")], problems: [400, 401, 422, 503]),
        Operation(
            method: "PUT", path: "/api/favorites/{product}", id: "addFavorite", summary: "Add to Favorites.",
            tag: "favorites", isSignedIn: true, parameters: ["product"],
            answers: [Answer(200, "It was there already.", "Pressed"), Answer(201, "It is there now.", "Pressed")],
            problems: [401, 403, 404, 503]),
        Operation(
            method: "DELETE", path: "/api/favorites/{product}", id: "removeFavorite",
            summary: "Remove from Favorites.", tag: "favorites", isSignedIn: true, parameters: ["product"],
            answers: [Answer(204, "It is no favorite, whether or not it was one.")], problems: [401, 403, 404, 503]),
    ]

    private static let posts = [
        Operation(
            method: "GET", path: "/api/posts", id: "listPosts", summary: "Posts, newest first.", tag: "posts",
            parameters: ["before", "page_size"], answers: [Answer(200, "Some of them.", "PostList")],
            problems: [400, 422, 503]),
        Operation(
            method: "POST", path: "/api/posts", id: "createPost", summary: "Write a post.", tag: "posts",
            isSignedIn: true, body: "NewPost", answers: [Answer(201, "The post.", "Post")],
            problems: [400, 401, 403, 413, 415, 422, 503]),
        Operation(
            method: "GET", path: "/api/posts/{post}", id: "getPost", summary: "One post.", tag: "posts",
            parameters: ["post"], answers: [Answer(200, "The post.", "Post")], problems: [404, 503]),
        Operation(
            method: "DELETE", path: "/api/posts/{post}", id: "deletePost", summary: "Delete one's own post.",
            tag: "posts", isSignedIn: true, parameters: ["post"], answers: [Answer(204, "It is gone.")],
            problems: [401, 403, 404, 503]),
    ]

    private static let reports = [
        Operation(
            method: "POST", path: "/api/reports", id: "reportProblem", summary: "Report a problem.", tag: "reports",
            body: "NewReport", answers: [Answer(202, "Mainstay has it.", "Receipt")],
            problems: [400, 403, 413, 415, 422, 429, 503])
    ]

    private static let machines = [
        Operation(
            method: "GET", path: "/healthz", id: "health", summary: "Whether the database answers.",
            tag: "operations", answers: [Answer(200, "It does.", "Health")], problems: [503]),
        Operation(
            method: "GET", path: "/metrics", id: "metrics", summary: "Figures for Prometheus.", tag: "operations",
            answers: [Answer(200, "Text format 0.0.4.", "Text", type: "text/plain")], problems: []),
        Operation(
            method: "GET", path: "/openapi.json", id: "openapi", summary: "This document.", tag: "operations",
            answers: [Answer(200, "OpenAPI 3.1.", "Document")], problems: []),
    ]
}
