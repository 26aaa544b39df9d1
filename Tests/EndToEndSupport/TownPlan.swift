/// What Mainstay watches in a test, as the `mainstay.yaml` it reads.
package struct TownPlan: Sendable {
    /// A place for `server.database`; nil: SQLite in the data directory.
    package var database: String?
    /// How often the journey of favorites runs; nil: there is none.
    package var journeyEvery: String?
    /// What the journey asks the Storefront's database instead of the right question.
    package var journeySQL: String?
    /// Further components of the service, such as `door: { check: { tcp: "127.0.0.1:1", every: 1s } }`.
    package var components: [String] = []
    /// How many users must report before there is an incident.
    package var reporters = 1_000
    /// Lines of the feature favorites.
    package var undo = "auto"
    package var mailTimeout = "5s"
    /// The lines of the guard, from its key on.
    package var proxy = ""

    package init() {}

    package func configuration(mailPort: Int) throws -> String {
        """
        server:
          listen: "${MAINSTAY_LISTEN}"
          url: "${MAINSTAY_URL}"
          data: "${MAINSTAY_DATA}"
        \(database.map { "  database: \"\($0)\"" } ?? "")
        people:
          ada: { email: ada@storefront.test }
        teams:
          shop: { people: [ ada ] }
        channels:
          email: { smtp: "smtp://127.0.0.1:\(mailPort)", from: mainstay@storefront.test, timeout: \(mailTimeout) }
        rollouts:
          quick: [ { share: 5%, hold: 2s }, { share: 100%, hold: 2s } ]
        services:
          storefront:
            team: shop
            url: "${STOREFRONT_URL}"
            token: "${STOREFRONT_TOKEN}"
            synthetic-secret: "${MAINSTAY_SYNTHETIC_SECRET}"
            account: { email: synthetic@storefront.test, password: "${STOREFRONT_SYNTHETIC_PASSWORD}" }
            databases: { main: "${STOREFRONT_DATABASE}" }
        \(components.isEmpty ? "" : "    components:\n" + components.map { "      \($0)\n" }.joined())
            flags:
              favorites: { variants: [ v1, v1b, v2 ], default: v1 }
              posts: { variants: [ v1, v2 ], default: v1 }
            features:
              favorites:
                flag: favorites
                proof: \(journeyEvery == nil ? "[]" : "[ favorites-saved ]")
                undo: \(undo)
                rollout: quick
                reports: { users: \(reporters), within: 1m, quiet: 10s }
              posts: { flag: posts, undo: ask }
        \(try journeyEvery.map(journey) ?? "")
        \(proxy)
        """
    }

    /// The example's journey, in the test's rhythm.
    private func journey(every: String) throws -> String {
        var journey = try ExampleJourney("favorites-saved")
        try journey.set("every", to: every)
        if let journeySQL { try journey.set("sql", to: journeySQL) }
        return "journeys:\n" + journey.text
    }
}
