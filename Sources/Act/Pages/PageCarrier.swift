import Decide

/// Finds a page's address and sends it by the right channel.
package struct PageCarrier: Sendable {
    private let addresses: @Sendable () -> AddressBook
    private let mail: MailSender
    private let client: PageClient
    private let now: @Sendable () -> Instant

    /// - Parameter addresses: the address book in force, asked anew for every try.
    package init(
        addresses: @escaping @Sendable () -> AddressBook, mail: MailSender, client: PageClient,
        now: @escaping @Sendable () -> Instant
    ) {
        self.addresses = addresses
        self.mail = mail
        self.client = client
        self.now = now
    }

    /// The longest that one try can take.
    var timeLimit: Span { max(addresses().mail?.timeout ?? .zero, client.timeout) }

    func send(_ page: OutgoingPage) async -> DeliveryOutcome {
        let (book, name) = (addresses(), page.target.name)
        switch page.target.method {
        case .email:
            guard let server = book.mail else { return .permanent(reason: "no mail server is configured") }
            guard let address = book.people[name] else {
                return .permanent(reason: "no mail address is configured for \(name)")
            }
            return await mail.send(page, to: address, via: server)
        case .slack:
            guard case .slack(let url)? = book.channels[name] else {
                return .permanent(reason: "no Slack channel \(name) is configured")
            }
            return await SlackSender(client: client).send(page, to: url, now: now())
        case .webhook:
            guard case .webhook(let url, let secret)? = book.channels[name] else {
                return .permanent(reason: "no webhook \(name) is configured")
            }
            return await WebhookSender(client: client).send(page, to: url, secret: secret, now: now())
        }
    }
}
