import HTTPTypes
import Synchronization

/// Which methods each route takes, so that a wrong method is told from a wrong address. Filled once all routes are
/// known.
final class MethodTable: Sendable {
    private struct Route: Sendable {
        var segments: [String]
        var method: String
    }

    private let routes = Mutex<[Route]>([])

    func fill(_ known: [(path: String, method: HTTPRequest.Method)]) {
        let filled = known.map {
            Route(segments: $0.path.split(separator: "/").map(String.init), method: $0.method.rawValue)
        }
        routes.withLock { $0 = filled }
    }

    /// Methods that a path takes, in order; empty when there is nothing at it.
    func allowed(at path: String) -> [String] {
        let segments = path.split(separator: "/").map(String.init)
        var found: Set<String> = []
        for route in routes.withLock({ $0 }) where route.segments.count == segments.count {
            guard zip(route.segments, segments).allSatisfy({ $0.hasPrefix("{") || $0.hasPrefix(":") || $0 == $1 })
            else {
                continue
            }
            found.insert(route.method)
            if route.method == "GET" { found.insert("HEAD") }
        }
        return found.sorted()
    }
}
