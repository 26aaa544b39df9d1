import Decide
import Synchronization

/// Where people and channels are reached. It holds secrets and never prints them.
package struct AddressBook: Sendable {
    package enum Channel: Sendable {
        /// A Slack-compatible incoming webhook; its URL is the secret.
        case slack(url: String)
        /// A generic webhook; `secret` signs what is sent (see `WebhookSender`).
        case webhook(url: String, secret: String)
    }

    /// E-mail address by person's name.
    package var people: [String: String]
    package var channels: [String: Channel]
    package var mail: MailServer?

    package init(people: [String: String] = [:], channels: [String: Channel] = [:], mail: MailServer? = nil) {
        self.people = people
        self.channels = channels
        self.mail = mail
    }
}

/// The server that takes Mainstay's mail.
package struct MailServer: Sendable {
    /// `smtp://host:port` (with STARTTLS where the server offers it) or `smtps://host:port`. Where there is TLS, the
    /// server's certificate has to be good, whether TLS is required or not.
    package var url: String
    package var from: String
    package var user: String?
    package var password: String?
    /// Send nothing, neither password nor mail, without TLS.
    package var requireTLS: Bool
    /// Path of a PEM file with the authorities to trust in place of the system's; read anew for each mail.
    package var caFile: String?
    /// Limit of one try, from the connection to the server's last word.
    package var timeout: Span

    /// - Parameter requireTLS: by default wherever there is a password to protect, or an authority to trust.
    package init(
        url: String, from: String, user: String? = nil, password: String? = nil, requireTLS: Bool? = nil,
        caFile: String? = nil, timeout: Span = .seconds(10)
    ) {
        self.url = url
        self.from = from
        self.user = user
        self.password = password
        self.requireTLS = requireTLS ?? (password != nil || caFile != nil)
        self.caFile = caFile
        self.timeout = timeout
    }
}

// Interpolation, `print` and `dump` are how secrets reach logs by accident; all of them end here.
extension AddressBook: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "AddressBook(\(people.count) people, \(channels.count) channels, mail: \(mail.map(\.description) ?? "none"))"
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension AddressBook.Channel: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        switch self {
        case .slack: "slack(•••)"
        case .webhook: "webhook(•••)"
        }
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension MailServer: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "MailServer(\(place))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Host and port, for messages; without user and password, should the URL hold them against advice.
    var place: String {
        let rest = url.split(separator: "//", maxSplits: 1).last ?? ""
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return String(authority.split(separator: "@").last ?? "")
    }
}

/// The address book in force; a reload replaces it as a whole.
package final class AddressBookBox: Sendable {
    private let book: Mutex<AddressBook>

    package init(_ book: AddressBook) {
        self.book = Mutex(book)
    }

    package var current: AddressBook {
        get { book.withLock { $0 } }
        set { book.withLock { $0 = newValue } }
    }
}
