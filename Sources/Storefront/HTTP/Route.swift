import HTTPTypes
import Hummingbird

/// One operation of the Storefront.
struct Route: Sendable {
    typealias Handler = @Sendable (Request, StorefrontContext) async throws -> Response

    var method: HTTPRequest.Method
    /// Names in braces are parameters: `/api/products/{product}`.
    var path: String
    var handle: Handler

    init(_ method: HTTPRequest.Method, _ path: String, _ handle: @escaping Handler) {
        self.method = method
        self.path = path
        self.handle = handle
    }
}

/// Knows which methods a path has, which the router does not tell: 405 and `Allow` come from here.
struct RouteTable: Sendable {
    private let entries: [(segments: [Substring], method: String)]

    init(_ routes: [Route]) {
        entries = routes.map { ($0.path.split(separator: "/"), $0.method.rawValue) }
    }

    /// Empty when the path does not exist at all.
    func allowed(at path: String) -> [String] {
        let segments = path.split(separator: "/")
        var methods = Set(entries.filter { Self.matches($0.segments, segments) }.map(\.method))
        if methods.contains("GET") { methods.insert("HEAD") }
        if !methods.isEmpty { methods.insert("OPTIONS") }
        return methods.sorted()
    }

    private static func matches(_ pattern: [Substring], _ path: [Substring]) -> Bool {
        pattern.count == path.count && zip(pattern, path).allSatisfy { $0.first == "{" || $0 == $1 }
    }
}
