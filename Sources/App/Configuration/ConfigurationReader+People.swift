import Act
import Decide

/// The server, people, channels and teams.
extension ConfigurationReader {
    func readServer() -> ServerSettings {
        var settings = ServerSettings()
        let place = top.field.node.place
        let here = Field(key: "server", name: "server", node: top.field.node, keyPlace: place, log: log)
        settings.dataDirectory = path("data", of: here)
        var location: String?
        if let field = top["server"] {
            let section = Section(field, "a mapping")
            if let listen = section["listen"].flatMap({ hostAndPort($0, ports: 0...65_535, defaultHost: settings.host) }
            ) {
                (settings.host, settings.port) = listen
            }
            let shown = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
            settings.publicURL = "http://\(shown):\(settings.port)"
            if let url = section["url"].flatMap({ httpURL($0) }) { settings.publicURL = url }
            if let data = section["data"], let text = data.text("the path of a folder") {
                settings.dataDirectory = path(text, of: data)
            }
            location = section["database"].flatMap(self.location)
            settings.trustsForwardedFor = section["trust-forwarded"]?.bool() ?? false
            section.finish()
        }
        settings.database = location ?? settings.dataDirectory + "/mainstay.sqlite"
        return settings
    }

    func readPeople() {
        let fields = top["people"]?.entries("person") ?? []
        declare("person", fields)
        for field in fields {
            if field.isText {
                people[field.name] = email(field)
            } else {
                let section = Section(field, "an e-mail address, or a mapping with 'email',")
                people[field.name] = section.required("email", "pages are sent there").flatMap(email)
                section.finish()
            }
        }
    }

    func readChannels() {
        let fields = top["channels"]?.entries("channel") ?? []
        var mailChannel: String?
        for field in fields {
            let section = Section(field, "a mapping with one of smtp, slack and webhook")
            guard let kind = section.oneOf(["smtp", "slack", "webhook"], "the kind of channel") else {
                section.finish()
                continue
            }
            switch kind.name {
            case "smtp":
                if let mailChannel {
                    kind.problemAtKey("there is a mail server already ('\(mailChannel)'); one is used for all mail")
                }
                mailChannel = mailChannel ?? field.name
                mail = readMail(section, kind) ?? mail
            case "slack":
                declare("channel", [field])
                channels[field.name] = httpURL(kind, isSecret: true, allowsQuery: true).map { .slack(url: $0) }
            default:
                declare("channel", [field])
                let url = httpURL(kind, isSecret: true, allowsQuery: true)
                let secret = requiredSecret(
                    section, "secret", "its receiver verifies by it that Mainstay sent the page")
                if let url, let secret { channels[field.name] = .webhook(url: url, secret: secret) }
            }
            section.finish()
        }
        hasMailServer = mailChannel != nil
    }

    private enum TLS: String, CaseIterable {
        case required
        case whenOffered = "when-offered"
    }

    private func readMail(_ section: Section, _ field: Field) -> MailServer? {
        let url = smtpURL(field)
        let from = section.required("from", "the address that pages come from").flatMap(email)
        let user = section["user"]?.text()
        let password = secret(section, "password")
        let hasPassword = section["password"] != nil || section["password-file"] != nil
        if section["user"] == nil, hasPassword { section.field.problemAtKey("'user' is missing beside the password") }
        if let user = section["user"], !hasPassword {
            user.problemAtKey("'password' or 'password-file' is missing beside the user")
        }
        let tls = section["tls"]?.choice(TLS.self)
        let caFile = section["ca-file"].flatMap(authorities)
        let timeout = section["timeout"]?.span(.seconds(1) ... .seconds(60))
        guard let url, let from else { return nil }
        // Neither a password nor, where it was said whom to trust, a mail goes out in the clear for want of a key.
        let requiresTLS = tls.map { $0 == .required } ?? (hasPassword || section["ca-file"] != nil)
        return MailServer(
            url: url, from: from, user: user, password: password, requireTLS: requiresTLS, caFile: caFile,
            timeout: timeout ?? .seconds(10))
    }

    private func smtpURL(_ field: Field) -> String? {
        guard let text = field.text("a URL such as smtp://mail.example.test:587") else { return nil }
        let scheme = ["smtp://", "smtps://"].first { text.lowercased().hasPrefix($0) }
        guard let scheme else {
            field.problem("a mail server is smtp://host:port or smtps://host:port")
            return nil
        }
        let authority = text.dropFirst(scheme.count)
        guard !authority.contains("@") else {
            field.problem("put user and password under 'user' and 'password-file', not into the URL")
            return nil
        }
        let isProper =
            !authority.isEmpty
            && authority.unicodeScalars.allSatisfy { $0.value > 0x20 && !"/?#".unicodeScalars.contains($0) }
        guard isProper else {
            field.problem("'\(field.written)' is not smtp://host:port or smtps://host:port")
            return nil
        }
        return text
    }

    func readTeams() {
        let fields = top["teams"]?.entries("team") ?? []
        declare("team", fields)
        for field in fields {
            var targets: [PageTarget?] = []
            if field.isMap {
                let section = Section(field, "a mapping with people and channels")
                targets = (section["people"]?.items() ?? []).map(person)
                targets += (section["channels"]?.items() ?? []).map(channel)
                section.finish()
            } else {
                targets = field.items().map(member)
            }
            if targets.isEmpty {
                field.problemAtKey("nobody is in this team, so nobody would be paged: name people or channels")
            }
            var unique: [PageTarget] = []
            for target in targets.compactMap(\.self) where !unique.contains(target) { unique.append(target) }
            teams[field.name] = TeamPolicy(name: field.name, targets: unique)
        }
    }

    private func member(_ field: Field) -> PageTarget? {
        guard let text = field.text("the name of a person or channel") else { return nil }
        if declared["person"]?.contains(text) ?? false { return person(field) }
        if declared["channel"]?.contains(text) ?? false { return channel(field) }
        let known = (declared["person"] ?? []).union(declared["channel"] ?? [])
        return field.reference("person or channel", among: known).map { PageTarget(name: $0, method: .email) }
    }

    private func person(_ field: Field) -> PageTarget? {
        guard let name = reference(field, "person") else { return nil }
        if !hasMailServer {
            field.problem(
                "\(name) is paged by e-mail, but there is no mail server: add one under 'channels', such as "
                    + "email: { smtp: \"smtp://…\", from: … }")
        }
        return PageTarget(name: name, method: .email)
    }

    private func channel(_ field: Field) -> PageTarget? {
        guard let name = reference(field, "channel") else { return nil }
        switch channels[name] {
        case .slack: return PageTarget(name: name, method: .slack)
        case .webhook: return PageTarget(name: name, method: .webhook)
        // It is declared wrongly, which was told there.
        case nil: return nil
        }
    }
}
