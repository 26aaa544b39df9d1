import Crypto
import Foundation

/// Style, script and icon of the pages. Their addresses carry a mark of their content, so that browsers may keep them.
enum Assets {
    static let cacheControl = "public, max-age=86400"
    static let stylePath = "/static/style.css?v=\(mark(style))"
    static let scriptPath = "/static/app.js?v=\(mark(script))"

    static let icon = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">\
        <rect width="32" height="32" rx="8" fill="#0f6b5c"/>\
        <path d="M16 24l-7-6.8a4.6 4.6 0 0 1 6.5-6.5l.5.5.5-.5a4.6 4.6 0 0 1 6.5 6.5z" fill="#fff"/></svg>
        """

    private static func mark(_ text: String) -> String {
        String(Data(SHA256.hash(data: Data(text.utf8)).prefix(6)).map { String(format: "%02x", $0) }.joined())
    }
}
