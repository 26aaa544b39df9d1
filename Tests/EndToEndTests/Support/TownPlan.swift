/// What Mainstay watches in a test, as the `mainstay.yaml` it reads.
struct TownPlan: Sendable {
    /// A place for `server.database`; nil: SQLite in the data directory.
    var database: String?
    /// The journey of favorites: nil: none.
    var journeyEvery: String?
    /// The journey's last step, which looks into the Storefront's database.
    var journeySQL =
        "SELECT count(*) AS n FROM favorites WHERE user_id = CAST(:customer AS BIGINT) AND product_id = :product"
    /// Further components of the service, such as `door: { check: { tcp: "127.0.0.1:1", every: 1s } }`.
    var components: [String] = []
    /// How many users must report before there is an incident.
    var reporters = 1_000
    /// Lines of the feature favorites.
    var undo = "auto"
    var mailTimeout = "5s"

    func configuration(mailPort: Int) -> String {
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
        \(journeyEvery.map(journey) ?? "")
        """
    }

    private func journey(every: String) -> String {
        """
        journeys:
          favorites-saved:
            every: \(every)
            variables: { product: { random: 1..\(Town.productCount) } }
            secrets: [ token ]
            steps:
              - name: sign in
                post: /api/session
                json: { email: "{{account.email}}", password: "{{account.password}}" }
                expect: { status: 201 }
                capture: { token: $.token, customer: $.user.id }
              - name: press the button
                put: /api/favorites/{{product}}
                headers: { Authorization: "Bearer {{token}}" }
                expect: { status: 201 }
                capture: { listed: $.product }
              - name: the list shows it
                eventually: 2s
                get: /api/favorites
                headers: { Authorization: "Bearer {{token}}" }
                expect: { status: 200, "$.items[*].product": { contains: "{{listed}}" } }
              - name: the row is in the database
                sql: \(journeySQL)
                on: main
                expect: { n: 1 }
            always:
              - name: take it back
                delete: /api/favorites/{{product}}
                headers: { Authorization: "Bearer {{token}}" }
                expect: { status: 204 }
        """
    }
}
