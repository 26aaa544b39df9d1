import Decide
import Record

/// What the HTTP side is told at start.
package struct WebSettings: Sendable {
    /// As people reach Mainstay, without a slash at the end: `https://mainstay.example.test`.
    package var publicURL: String
    /// Larger bodies are refused with 413.
    package var maxBody = 1 << 20
    /// Larger test reports are refused with 413.
    package var maxEvidence = 8 << 20
    /// Larger customer reports are refused with 413.
    package var maxReport = 8 << 10
    /// Streams of flags and of the timeline open at once; more are refused with 503.
    package var maxStreams = 2_000
    /// Connections held open at once; more wait.
    package var maxConnections = 8_000
    package var streamKeepAlive: Span = .seconds(15)
    /// A stream's client that takes nothing for this long is dropped; it connects again and gets the whole.
    package var streamPatience: Span = .seconds(10)
    /// How often the record is asked for changes made by other processes, while streams are open.
    package var pollEvery: Span = .milliseconds(250)
    /// Believe the last address in `X-Forwarded-For`: only behind a proxy that sets it.
    package var trustsForwardedFor = false
    /// Keyed into the hash of a reporter's address, so that the record holds no addresses.
    package var addressSecret = Secrets.random()

    package init(publicURL: String) {
        self.publicURL = publicURL
    }

    /// Cookies are sent over TLS only when people come by TLS.
    package var secureCookies: Bool { publicURL.lowercased().hasPrefix("https://") }

    /// `https://mainstay.example.test`, as browsers write it in `Origin`.
    var origin: String {
        publicURL.lowercased().split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).prefix(3)
            .joined(separator: "/")
    }
}
