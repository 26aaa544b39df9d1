import Decide

extension DrillStage {
    /// The drill's `mainstay.yaml`: one team, one person on call, the Storefront with favorites and, unless the drill
    /// switches it off, the journey that proves them. Secrets come from the environment.
    var configuration: String {
        """
        server: { listen: "127.0.0.1:\(mainstayPort)", url: "\(mainstay)", data: "\(directory)/mainstay" }

        people:
          ada: { email: ada@storefront.test }

        teams:
          shop: { people: [ ada ] }

        channels:
          email: { smtp: "smtp://127.0.0.1:\(mailPort)", from: mainstay@storefront.test }

        rollouts:
          drill: [ \(stages) ]

        services:
          storefront:
            team: shop
            url: \(storefront)
            token: "${STOREFRONT_TOKEN}"
            synthetic-secret: "${MAINSTAY_SYNTHETIC_SECRET}"
            account: { email: synthetic@storefront.test, password: "${STOREFRONT_SYNTHETIC_PASSWORD}" }
            databases: { main: "${STOREFRONT_DATABASE}" }
            flags:
              favorites: { variants: [ v1, v1b, v2 ], default: v1 }
              posts: { variants: [ v1, v2 ], default: v1 }
            features:
              favorites:
                flag: favorites
                \(plan.journeys ? "proof: [ favorites-saved ]" : "proof: []")
                undo: auto
                rollout: drill
                reports: { users: 3, within: 1m, quiet: 10s }
              posts: { flag: posts, undo: ask }

        \(plan.journeys ? journey : "")
        """
    }

    private var stages: String {
        plan.stages.map { "{ share: \($0.share), hold: \($0.hold) }" }.joined(separator: ", ")
    }

    private var journey: String {
        """
        journeys:
          favorites-saved:
            every: \(plan.checkInterval)
            variables: { product: { random: 1..\(Self.products) } }
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
                sql: SELECT count(*) AS n FROM favorites WHERE user_id = CAST(:customer AS BIGINT) AND product_id = :product
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
