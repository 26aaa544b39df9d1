import Crypto
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// A file that pages load. Its address holds a digest of its content, so that browsers keep it for good and get a new
/// one the moment it differs.
struct Asset: Sendable {
    let path: String
    let mediaType: String
    let bytes: ByteBuffer
    /// First half of the content's SHA-256.
    let digest: String

    init(_ path: String, _ mediaType: String, _ text: String) {
        self.path = path
        self.mediaType = mediaType
        bytes = ByteBuffer(string: text)
        digest = SHA256.hash(data: Array(text.utf8)).prefix(16).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    var url: String { "\(path)?v=\(digest)" }
    var tag: String { "\"\(digest)\"" }

    func answer(_ request: Request) -> Response {
        let isCurrent = request.uri.query == "v=\(digest)"
        let headers: HTTPFields = [
            .eTag: tag, .contentType: mediaType,
            // Under the plain address, and that of another version, it is asked for again each time.
            .cacheControl: isCurrent ? "public, max-age=31536000, immutable" : "no-cache",
        ]
        let known = request.headers[.ifNoneMatch]?.split(separator: ",").map { $0.drop { $0 == " " } } ?? []
        if known.contains(where: { $0 == tag || $0 == "W/\(tag)" || $0 == "*" }) {
            return Response(status: .notModified, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }
}

/// The files of Mainstay's own pages: one style sheet, one script, one icon.
enum Assets {
    static let style = Asset(
        "/assets/style.css", "text/css; charset=utf-8", baseStyle + partStyle + pageStyle + printStyle)
    static let script = Asset("/assets/app.js", "text/javascript; charset=utf-8", appScript)
    static let icon = Asset("/assets/icon.svg", "image/svg+xml", Icons.favicon)

    static func add(to router: Router<WebContext>) {
        for asset in [style, script, icon] {
            router.get(RouterPath(asset.path)) { request, _ in asset.answer(request) }
        }
    }
}
