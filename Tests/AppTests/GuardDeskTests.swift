import Decide
import Guard
import Testing

@testable import App

/// Whom the guard's decisions concern, as the file says it.
struct GuardDeskTests {
    private static let base = ConfigurationFixture.people + ConfigurationFixture.service

    private static func guarded(_ keys: String) -> String {
        base + "guard: { auth: trust, \(keys), databases: { notes: \"postgres://db/notes\" } }\n"
    }

    @Test("a database names the service that uses it, and the guard the team for all others")
    func desks() throws {
        let configuration = try ConfigurationFixture.load(
            Self.base + """
                guard:
                  auth: trust
                  team: shop
                  page-observed: true
                  databases:
                    shop: { targets: [ "postgres://db/shop" ], service: shop }
                    notes: "postgres://db/notes"
                  other-databases: { targets: [ "postgres://db" ], service: shop }

                """)
        #expect(
            configuration.policy.guarded
                == GuardPolicy(team: "shop", services: ["shop": "shop", "*": "shop"], pagesObserved: true))
        #expect(configuration.guardSettings?.databases.count == 3)
        #expect(try ConfigurationFixture.load(Self.base).policy.guarded == GuardPolicy())
        #expect(try ConfigurationFixture.load(Self.guarded("pool-size: 3")).policy.guarded == GuardPolicy())
    }

    @Test(
        "what does not exist is told with line, key and the nearest name",
        arguments: [
            ("team: shpo", "guard.team: there is no team 'shpo'; did you mean 'shop'?"),
            ("team: shop, page-observd: true", "did you mean 'page-observed'?"),
            ("page-observed: often", "guard.page-observed: 'often' is neither true nor false"),
            (
                "other-databases: { targets: [ \"postgres://db\" ], service: shpo }",
                "guard.other-databases.service: there is no service 'shpo'; did you mean 'shop'?"
            ),
        ])
    func problems(keys: String, words: String) {
        let problems = ConfigurationFixture.problems(Self.guarded(keys)).joined(separator: "\n")
        #expect(problems.contains(words), "\(problems)")
        #expect(problems.contains("mainstay.yaml:8:"), "\(problems)")
    }
}
