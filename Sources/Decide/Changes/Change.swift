/// One line of the change ledger: anything that may have caused trouble.
package struct Change: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable {
        case release, flag, configuration, migration, query, infrastructure, external
    }

    /// A flag's new state as a change sees it: enough to run an experiment and to take it back.
    package struct FlagStep: Hashable, Sendable, Codable {
        package var flag: String
        package var oldVariant: String
        package var newVariant: String
        /// Flag version from which on the new variant was served by this change.
        package var version: Int64

        package init(flag: String, oldVariant: String, newVariant: String, version: Int64) {
            self.flag = flag
            self.oldVariant = oldVariant
            self.newVariant = newVariant
            self.version = version
        }
    }

    package var id: String
    package var kind: Kind
    package var service: String
    package var feature: String?
    /// `favorites v2 to 5 % of users`.
    package var title: String
    package var actor: Actor
    package var reason: String?
    package var at: Instant
    package var release: String?
    package var flagStep: FlagStep?
    /// Went out past a gate that said no.
    package var forced: Bool
    package var undoneAt: Instant?
    /// Who made it, where another system tells of it.
    package var author: String?
    /// An address with more about it: http or https.
    package var link: String?
    /// When another system's release had gone out whole. No proof that it works.
    package var endedAt: Instant?

    package init(
        id: String, kind: Kind, service: String, feature: String?, title: String, actor: Actor, reason: String?,
        at: Instant, release: String? = nil, flagStep: FlagStep? = nil, forced: Bool = false, undoneAt: Instant? = nil,
        author: String? = nil, link: String? = nil, endedAt: Instant? = nil
    ) {
        self.id = id
        self.kind = kind
        self.service = service
        self.feature = feature
        self.title = title
        self.actor = actor
        self.reason = reason
        self.at = at
        self.release = release
        self.flagStep = flagStep
        self.forced = forced
        self.undoneAt = undoneAt
        self.author = author
        self.link = link
        self.endedAt = endedAt
    }
}

extension Change {
    /// The id of a change that another system tells of.
    package static func external(_ service: String, _ id: String) -> String { "external:\(service)/\(id)" }

    /// Made by another system, by way of no gate and no flag.
    package var isExternal: Bool { id.hasPrefix("external:") }

    /// Whether a client that says it is of this release runs what the change brought: it names the release by its id or
    /// by its commit, of which the id ends with up to twelve digits; its program's name may stand before that.
    /// - Parameter services: all there are (`ReleaseName.mayBe`).
    package func isRelease(named name: String, services: Set<String> = []) -> Bool {
        guard let release else { return false }
        if release == name { return true }
        let told = ReleaseName(name)
        guard told.mayBe(of: service, among: services) else { return false }
        if release == told.release { return true }
        let (commit, named) = ((release.split(separator: "-").last ?? "").lowercased(), told.release.lowercased())
        let areCommits = [commit, named].allSatisfy { $0.count >= 7 && $0.allSatisfy { $0.isASCII && $0.isHexDigit } }
        return areCommits && (commit.hasPrefix(named) || named.hasPrefix(commit))
    }
}

/// Basis points as people read them: `5 %`, `0.5 %`, `100 %`.
package func percent(basisPoints: Int) -> String {
    let (whole, rest) = basisPoints.quotientAndRemainder(dividingBy: 100)
    if rest == 0 { return "\(whole) %" }
    return rest % 10 == 0 ? "\(whole).\(rest / 10) %" : "\(whole).\(rest < 10 ? "0" : "")\(rest) %"
}
