import Hummingbird
import NIOCore

/// What the Storefront knows about a request beside the request itself.
struct StorefrontContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Set by `LoadVisitor`, the first middleware.
    var visitor = Visitor.stranger
    /// The peer's address; a signed-out visitor is limited by it.
    let address: String
    let started = ContinuousClock.now

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        address = source.channel.remoteAddress?.ipAddress ?? "unknown"
    }
}
