import Testing

@testable import App

/// A wrong file, and exactly what is said about it.
struct ConfigurationProblemTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        var what: String
        var text: String
        var problems: [String]

        var testDescription: String { what }

        /// `text` begins on line 4, below people, teams and channels.
        init(_ what: String, _ text: String, _ problems: String...) {
            self.what = what
            self.text = ConfigurationFixture.people + text
            self.problems = problems
        }

        /// `text` begins on line 8, below the service as well.
        init(service what: String, _ text: String, _ problems: String...) {
            self.what = what
            self.text = ConfigurationFixture.people + ConfigurationFixture.service + text
            self.problems = problems
        }
    }

    @Test("says file, line, column, key, what is wrong and what was meant", arguments: services + features + checks)
    func things(bad: Bad) {
        #expect(ConfigurationFixture.problems(bad.text) == bad.problems)
    }

    @Test("says the same of rollouts, gates and journeys", arguments: rollouts + journeys)
    func proofs(bad: Bad) {
        #expect(ConfigurationFixture.problems(bad.text) == bad.problems)
    }

    static let services = [
        Bad("no services", "incidents: {}", "?"),
        Bad("unknown top key", "servces: {}\nservices: { shop: { team: shop } }", "?"),
        Bad("unknown team", "services: { shop: { team: shpo } }", "?"),
        Bad("no team", "services:\n  shop:\n    url: http://a.test", "?"),
        Bad("bad name", "services:\n  my shop: { team: shop }", "?"),
        Bad("no mapping", "services: [ shop ]", "?"),
        Bad("bad URL", "services: { shop: { team: shop, url: \"ftp://a.test\" } }", "?"),
        Bad("password in URL", "services: { shop: { team: shop, url: \"http://u:hunter2@a.test\" } }", "?"),
        Bad("short token", "services: { shop: { team: shop, token: abc } }", "?"),
        Bad("two secrets", "services: { shop: { team: shop, token: abcdefghijklmnop, token-file: a } }", "?"),
        Bad("no such file", "services: { shop: { team: shop, token-file: nowhere/token } }", "?"),
        Bad("account", "services: { shop: { team: shop, account: { email: a } } }", "?"),
        Bad(
            "circle",
            "services: { shop: { team: shop, components: { a: { depends: b }, b: { depends: [ c ] }, c: { depends: a } } } }",
            "?"),
        Bad("depends", "services: { shop: { team: shop, components: { api: { depends: db }, dbs: {} } } }", "?"),
        Bad(service: "server", "server: { listen: 127.0.0.1, url: mainstay, dat: x }", "?"),
        Bad(service: "incidents", "incidents: { suspects-within: 2, page-again-at-most: -1 }", "?"),
    ]

    static let features = [
        Bad(service: "misspelt key", "    features:\n      favorites:\n        proofs: [ a ]", "?"),
        Bad(service: "undeclared flag", "    flags: { favorites: { variants: [ v1 ], default: v1 } }\n    features: { f: { flag: favourites } }", "?"),
        Bad(service: "no flags", "    features: { f: { flag: favourites } }", "?"),
        Bad(service: "undo without a flag", "    features: { f: { undo: auto } }", "?"),
        Bad(service: "undo unknown", "    features: { f: { undo: automatic, severity: hgih } }", "?"),
        Bad(service: "proof unknown", "    features: { f: { proof: [ saved ] } }\njourneys: { save: { steps: [ { get: / } ] } }", "?"),
        Bad(
            service: "two proofs",
            "    features: { f: { proof: saved }, g: { proof: [ saved ] } }\njourneys: { saved: { steps: [ { get: / } ] } }", "?"),
        Bad(
            service: "no synthetic secret",
            "    flags: { f: { variants: [ a ], default: a } }\n    features: { f: { flag: f, proof: saved } }\njourneys: { saved: { steps: [ { get: / } ] } }",
            "?"),
        Bad(service: "flag default", "    flags: { f: { variants: [ v1, v2 ], default: v3 } }", "?"),
        Bad(service: "flag default missing", "    flags: { f: { variants: { on: true, off: false } } }", "?"),
        Bad(service: "flag kinds", "    flags: { f: { variants: { on: true, off: 0 }, default: on } }", "?"),
        Bad(service: "flag rule", "    flags: { f: { variants: [ a ], default: a, targeting: { fractionl: [] } } }", "?"),
        Bad(service: "reports", "    features: { f: { reports: { users: 0, within: 1s, for: 1m } } }", "?"),
        Bad(service: "gate", "    features: { f: { gate: careful, rollout: quick } }\ngates: { default: { tests: yes, approvals: many } }", "?"),
    ]

    static let checks = [
        Bad(service: "too often", "checks: { home: { http: /, every: 500ms } }", "?"),
        Bad(service: "no unit", "checks: { home: { http: /, every: 5 } }", "?"),
        Bad(service: "timeout", "checks: { home: { http: /, every: 5s, timeout: 6s } }", "?"),
        Bad(service: "no kind", "checks: { home: { every: 5s } }", "?"),
        Bad(service: "two kinds", "checks: { home: { http: /, tcp: a:1 } }", "?"),
        Bad(service: "misspelt kind", "checks: { home: { htpp: / } }", "?"),
        Bad(service: "port", "checks: { home: { tcp: \"a.test:99999\" } }", "?"),
        Bad(service: "database", "checks: { home: { database: mian } }", "?"),
        Bad(service: "not postgres", "checks: { home: { postgres: a.sqlite } }", "?"),
        Bad(service: "status", "checks: { home: { http: /, expect: 999 } }", "?"),
        Bad(service: "subject", "checks: { home: { http: /, expect: { statsu: 200 } } }", "?"),
        Bad(service: "predicate", "checks: { home: { http: /, expect: { $.a: { contain: 1 } } } }", "?"),
        Bad(service: "variable", "checks: { home: { http: /, headers: { X: \"{{a}}\" } } }", "?"),
        Bad(service: "other service", "checks: { home: { service: shpo, http: / } }", "?"),
        Bad("no url", "services: { shop: { team: shop } }\nchecks: { home: { http: / } }", "?"),
        Bad("which service", "services: { a: { team: shop }, b: { team: shop } }\nchecks: { home: { tcp: \"a:1\" } }", "?"),
        Bad(service: "same name", "    components: { home: { check: { http: / } } }\nchecks: { home: { http: / } }", "?"),
    ]

    static let rollouts = [
        Bad(service: "end", "rollouts: { quick: [ { share: 5%, hold: 1m }, { share: 50% } ] }", "?"),
        Bad(service: "growth", "rollouts: { quick: [ { share: 50%, hold: 1m }, { share: 25%, hold: 1m }, { share: 100% } ] }", "?"),
        Bad(service: "hold", "rollouts: { quick: [ { share: 5% }, { share: 100%, hold: -1s } ] }", "?"),
        Bad(service: "share", "rollouts: { quick: [ { share: 5, hold: 1m }, { share: 101% } ] }", "?"),
        Bad(service: "empty", "rollouts: { quick: [], slow: 5% }", "?"),
    ]

    static let journeys = [
        Bad(service: "no steps", "journeys: { j: { every: 5s } }", "?"),
        Bad(service: "empty steps", "journeys: { j: { steps: [] } }", "?"),
        Bad(service: "which action", "journeys:\n  j:\n    steps:\n      - name: a\n      - { name: b, gte: / }\n      - { get: /, put: / }", "?"),
        Bad(service: "eventually", "journeys: { j: { every: 5s, steps: [ { get: /, eventually: 6s } ] } }", "?"),
        Bad(service: "eventually post", "journeys: { j: { steps: [ { post: /, eventually: 1s } ] } }", "?"),
        Bad(service: "no database", "journeys: { j: { steps: [ { sql: SELECT 1 AS n, expect: { n: 1 } } ] } }", "?"),
        Bad(service: "wrong database", "    databases: { main: a, other: b }\njourneys: { j: { steps: [ { sql: SELECT 1 AS n, on: mian, expect: { n: 1 } }, { sql: SELECT 1 AS n, expect: { n: 1 } } ] } }", "?"),
        Bad(service: "no expectation", "    databases: { main: a }\njourneys: { j: { steps: [ { name: count, sql: SELECT 1 } ] } }", "?"),
        Bad(service: "variables", "    databases: { main: a }\njourneys:\n  j:\n    variables: { product: { random: 1..5 } }\n    steps:\n      - { get: \"/{{prodcut}}\" }\n      - { sql: \"SELECT :ueser AS n\", expect: { n: 1 } }", "?"),
        Bad(service: "range", "journeys: { j: { variables: { a: { random: 5..1 } }, secrets: tokn, steps: [ { get: / } ] } }", "?"),
        Bad(service: "path", "journeys: { j: { steps: [ { get: api }, { put: \"/{{\" } ] } }", "?"),
        Bad(service: "JSONPath", "journeys: { j: { steps: [ { get: /, expect: { \"$.a[\": 1 }, capture: { x: bdoy } } ] } }", "?"),
        Bad(service: "reserved header", "journeys: { j: { steps: [ { get: /, headers: { mainstay-synthetic: x, \"a b\": c } } ] } }", "?"),
        Bad(service: "account", "journeys: { j: { steps: [ { post: /, json: { p: \"{{account.password}}\" } } ] } }", "?"),
        Bad(service: "bodies", "journeys: { j: { steps: [ { post: /, json: {}, form: {} } ] } }", "?"),
        Bad("service of a journey", "services: { a: { team: shop, url: \"http://a.test\" }, b: { team: shop } }\njourneys: { j: { steps: [ { get: / } ] }, k: { service: b, steps: [ { get: / } ] } }", "?"),
    ]
}
