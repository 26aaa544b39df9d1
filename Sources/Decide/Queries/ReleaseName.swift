/// A release as a client names it: `shop@5f2c1e7` is release `5f2c1e7` of the program `shop`; `5f2c1e7` alone may be of
/// any program. Two programs on one database may well have releases of one name, so the whole is kept.
package struct ReleaseName: Hashable, Sendable {
    package var program: String?
    package var release: String

    package init(_ text: String) {
        guard let at = text.lastIndex(of: "@"), at > text.startIndex, text.index(after: at) < text.endIndex else {
            (program, release) = (nil, text)
            return
        }
        (program, release) = (String(text[..<at]), String(text[text.index(after: at)...]))
    }

    /// Whether it can be a release of this service. A program may be called anything (`shop-worker` of service `shop`);
    /// only one that is called like another service is that service's.
    package func mayBe(of service: String, among services: Set<String>) -> Bool {
        guard let program else { return true }
        return program == service || !services.contains(program)
    }
}
