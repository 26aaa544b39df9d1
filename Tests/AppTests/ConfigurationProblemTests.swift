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
        Bad(
            "no services", "incidents: {}",
            "mainstay.yaml:1:1: 'services' is missing: name the services that are watched"),
        Bad(
            "unknown top key", "servces: {}\nservices: { shop: { team: shop } }",
            "mainstay.yaml:4:1: servces: unknown key 'servces'; did you mean 'services'?"),
        Bad(
            "unknown team", "services: { shop: { team: shpo } }",
            "mainstay.yaml:4:27: services.shop.team: there is no team 'shpo'; did you mean 'shop'?"),
        Bad(
            "no team", "services:\n  shop:\n    url: http://a.test",
            "mainstay.yaml:5:3: services.shop: 'team' is missing: who is paged when it fails"),
        Bad(
            "bad name", "services:\n  my shop: { team: shop }",
            "mainstay.yaml:5:3: services.my shop: 'my shop' cannot be the name of a service: use up to 64 letters, digits, '-', '_' and '.'"
        ),
        Bad(
            "no mapping", "services: [ shop ]",
            "mainstay.yaml:4:11: services: a mapping from the name of each service to what it is is expected here, not a list"
        ),
        Bad(
            "bad URL", "services: { shop: { team: shop, url: \"ftp://a.test\" } }",
            "mainstay.yaml:4:38: services.shop.url: 'ftp://a.test' is not a URL that begins with http:// or https://"),
        Bad(
            "password in URL", "services: { shop: { team: shop, url: \"http://u:hunter2@a.test\" } }",
            "mainstay.yaml:4:38: services.shop.url: a URL with a user or password in it is not read: messages would show it"
        ),
        Bad(
            "short token", "services: { shop: { team: shop, token: abc } }",
            "mainstay.yaml:4:40: services.shop.token: the token is shorter than 32 characters: make a longer one"),
        Bad(
            "two secrets", "services: { shop: { team: shop, token: abcdefghijklmnopqrstuvwxyz012345, token-file: a } }",
            "mainstay.yaml:4:74: services.shop.token-file: give either 'token' or 'token-file', not both"),
        Bad(
            "no such file", "services: { shop: { team: shop, token-file: nowhere/token } }",
            "mainstay.yaml:4:45: services.shop.token-file: 'nowhere/token' cannot be read: there is no such file"),
        Bad(
            "account", "services: { shop: { team: shop, account: { email: a } } }",
            "mainstay.yaml:4:33: services.shop.account: 'password' or 'password-file' is missing: journeys sign in with it"
        ),
        Bad(
            "circle",
            "services: { shop: { team: shop, components: { a: { depends: b }, b: { depends: [ c ] }, c: { depends: a } } } }",
            "mainstay.yaml:4:47: services.shop.components.a: components depend on one another in a circle: a → b → c → a"
        ),
        Bad(
            "depends", "services: { shop: { team: shop, components: { api: { depends: db }, dbs: {} } } }",
            "mainstay.yaml:4:63: services.shop.components.api.depends: there is no component of shop 'db'; did you mean 'dbs'?"
        ),
        Bad(
            service: "server", "server: { listen: 127.0.0.1, url: mainstay, dat: x }",
            "mainstay.yaml:8:19: server.listen: '127.0.0.1' is not a host and a port from 0 to 65535, such as 127.0.0.1:8600",
            "mainstay.yaml:8:35: server.url: 'mainstay' is not a URL that begins with http:// or https://",
            "mainstay.yaml:8:45: server.dat: unknown key 'dat'; did you mean 'data'?"),
        Bad(
            service: "incidents", "incidents: { suspects-within: 2, page-again-at-most: -1 }",
            "mainstay.yaml:8:31: incidents.suspects-within: '2' is not a duration: write a number and a unit, such as 500ms, 5s, 1m30s or 2h",
            "mainstay.yaml:8:54: incidents.page-again-at-most: '-1' is not a whole number from 0 to 100"),
    ]

    static let features = [
        Bad(
            service: "misspelt key", "    features:\n      favorites:\n        proofs: [ a ]",
            "mainstay.yaml:10:9: services.shop.features.favorites.proofs: unknown key 'proofs'; did you mean 'proof'?"),
        Bad(
            service: "undeclared flag",
            "    flags: { favorites: { variants: [ v1 ], default: v1 } }\n    features: { f: { flag: favourites } }",
            "mainstay.yaml:9:28: services.shop.features.f.flag: there is no flag of shop 'favourites'; did you mean 'favorites'?"
        ),
        Bad(
            service: "no flags", "    features: { f: { flag: favourites } }",
            "mainstay.yaml:8:28: services.shop.features.f.flag: there is no flag of shop 'favourites'; none is declared"
        ),
        Bad(
            service: "undo without a flag", "    features: { f: { undo: auto } }",
            "mainstay.yaml:8:28: services.shop.features.f.undo: 'auto' needs a flag to turn back: give the feature a 'flag', or write 'never'"
        ),
        Bad(
            service: "undo unknown", "    features: { f: { undo: automatic, severity: hgih } }",
            "mainstay.yaml:8:28: services.shop.features.f.undo: 'automatic' is none of auto, ask, never",
            "mainstay.yaml:8:49: services.shop.features.f.severity: 'hgih' is none of critical, high, low; did you mean 'high'?"
        ),
        Bad(
            service: "proof unknown",
            "    features: { f: { proof: [ saved ] } }\njourneys: { save: { steps: [ { get: / } ] } }",
            "mainstay.yaml:8:31: services.shop.features.f.proof[0]: there is no journey 'saved'; did you mean 'save'?"),
        Bad(
            service: "two proofs",
            "    features: { f: { proof: saved }, g: { proof: [ saved ] } }\njourneys: { saved: { steps: [ { get: / } ] } }",
            "mainstay.yaml:8:52: services.shop.features.g.proof[0]: 'saved' is the proof of f already; a journey proves one feature"
        ),
        Bad(
            service: "no synthetic secret",
            "    flags: { f: { variants: [ a ], default: a } }\n    features: { f: { flag: f, proof: saved } }\njourneys: { saved: { steps: [ { get: / } ] } }",
            "mainstay.yaml:9:31: services.shop.features.f.proof: journeys try out the variants of f, which shop only believes with a shared secret: give the service a 'synthetic-secret' or 'synthetic-secret-file'"
        ),
        Bad(
            service: "flag default", "    flags: { f: { variants: [ v1, v2 ], default: v3 } }",
            "mainstay.yaml:8:50: services.shop.flags.f.default: there is no variant 'v3'; did you mean 'v1'?"),
        Bad(
            service: "flag default missing", "    flags: { f: { variants: { on: true, off: false } } }",
            "mainstay.yaml:8:14: services.shop.flags.f: 'default' is missing: the variant that everybody gets until it is changed"
        ),
        Bad(
            service: "flag kinds", "    flags: { f: { variants: { on: true, off: 0 }, default: on } }",
            "mainstay.yaml:8:29: services.shop.flags.f.variants: the values of a flag's variants must be of one kind, not number and true or false"
        ),
        Bad(
            service: "flag rule", "    flags: { f: { variants: [ a ], default: a, targeting: { fractionl: [] } } }",
            "mainstay.yaml:8:48: services.shop.flags.f.targeting: There is no operator 'fractionl'."
        ),
        Bad(
            service: "reports", "    features: { f: { reports: { users: 0, within: 1s, for: 1m } } }",
            "mainstay.yaml:8:40: services.shop.features.f.reports.users: '0' is not a whole number from 1 to 10000",
            "mainstay.yaml:8:51: services.shop.features.f.reports.within: 1s is not between 10s and 1d",
            "mainstay.yaml:8:55: services.shop.features.f.reports.for: unknown key 'for' (known are quiet, users, within)"
        ),
        Bad(
            service: "gate",
            "    features: { f: { gate: careful, rollout: quick } }\ngates: { default: { tests: yes, approvals: many } }",
            "mainstay.yaml:8:28: services.shop.features.f.gate: there is no gate 'careful' (there are default)",
            "mainstay.yaml:8:46: services.shop.features.f.rollout: there is no rollout 'quick' (there are careful)",
            "mainstay.yaml:9:28: gates.default.tests: 'yes' is none of required, none",
            "mainstay.yaml:9:44: gates.default.approvals: 'many' is not a whole number from 0 to 10"),
    ]

    static let checks = [
        Bad(
            service: "too often", "checks: { home: { http: /, every: 500ms } }",
            "mainstay.yaml:8:35: checks.home.every: 500ms is not between 1s and 1d"),
        Bad(
            service: "no unit", "checks: { home: { http: /, every: 5 } }",
            "mainstay.yaml:8:35: checks.home.every: '5' is not a duration: write a number and a unit, such as 500ms, 5s, 1m30s or 2h"
        ),
        Bad(
            service: "timeout", "checks: { home: { http: /, every: 5s, timeout: 6s } }",
            "mainstay.yaml:8:48: checks.home.timeout: a run may not take longer (6s) than the time to the next one (every 5s)"
        ),
        Bad(
            service: "no kind", "checks: { home: { every: 5s } }",
            "mainstay.yaml:8:11: checks.home: the thing to check is missing: give one of http, tcp, database, postgres, sqlite, heartbeat"
        ),
        Bad(
            service: "two kinds", "checks: { home: { http: /, tcp: a:1 } }",
            "mainstay.yaml:8:28: checks.home.tcp: only one of http, tcp, database, postgres, sqlite, heartbeat can be given; 'http' is there already"
        ),
        Bad(
            service: "misspelt kind", "checks: { home: { htpp: / } }",
            "mainstay.yaml:8:19: checks.home.htpp: unknown key 'htpp'; did you mean 'http'?"),
        Bad(
            service: "port", "checks: { home: { tcp: \"a.test:99999\" } }",
            "mainstay.yaml:8:24: checks.home.tcp: 'a.test:99999' is not a host and a port from 1 to 65535, such as 127.0.0.1:8600"
        ),
        Bad(
            service: "database", "checks: { home: { database: mian } }",
            "mainstay.yaml:8:29: checks.home.database: there is no database of shop 'mian'; none is declared"),
        Bad(
            service: "not postgres", "checks: { home: { postgres: a.sqlite } }",
            "mainstay.yaml:8:29: checks.home.postgres: this does not begin with postgres://"),
        Bad(
            service: "status", "checks: { home: { http: /, expect: 999 } }",
            "mainstay.yaml:8:28: checks.home.expect: 999 is not a status (201, 2xx, 200..299)"),
        Bad(
            service: "subject", "checks: { home: { http: /, expect: { statsu: 200 } } }",
            "mainstay.yaml:8:38: checks.home.expect.statsu: 'statsu' is not known: status, took, body, header.NAME, cookie.NAME and JSONPaths ($.a.b) are; did you mean 'status'?"
        ),
        Bad(
            service: "predicate", "checks: { home: { http: /, expect: { $.a: { contain: 1 } } } }",
            "mainstay.yaml:8:38: checks.home.expect.$.a: 'contain' is not a predicate (equals, not, oneOf, between, contains, matches, exists, absent, count, lessThan, atMost, greaterThan, atLeast, type are); did you mean 'contains'?"
        ),
        Bad(
            service: "variable", "checks: { home: { http: /, headers: { X: \"{{a}}\" } } }",
            "mainstay.yaml:8:11: checks.home: uses {{a}}: variables are for journeys"),
        Bad(
            service: "other service", "checks: { home: { service: shpo, http: / } }",
            "mainstay.yaml:8:28: checks.home.service: there is no service 'shpo'; did you mean 'shop'?"),
        Bad(
            "no url", "services: { shop: { team: shop } }\nchecks: { home: { http: / } }",
            "mainstay.yaml:5:25: checks.home.http: shop has no 'url' that this path could belong to"),
        Bad(
            "which service", "services: { a: { team: shop }, b: { team: shop } }\nchecks: { home: { tcp: \"a:1\" } }",
            "mainstay.yaml:5:11: checks.home: 'service' is missing: there are several services (a, b)"),
        Bad(
            service: "same name", "    components: { home: { check: { http: / } } }\nchecks: { home: { http: / } }",
            "mainstay.yaml:9:11: checks.home: shop has a check, journey or checked component 'home' already"
        ),
    ]

    static let rollouts = [
        Bad(
            service: "end", "rollouts: { quick: [ { share: 5%, hold: 1m }, { share: 50% } ] }",
            "mainstay.yaml:8:47: rollouts.quick[1]: a rollout ends with { share: 100% }; this one ends at 50%"),
        Bad(
            service: "growth",
            "rollouts: { quick: [ { share: 50%, hold: 1m }, { share: 25%, hold: 1m }, { share: 100% } ] }",
            "mainstay.yaml:8:48: rollouts.quick[1]: the share must grow from stage to stage: 25% comes after 50%"),
        Bad(
            service: "hold", "rollouts: { quick: [ { share: 5% }, { share: 100%, hold: -1s } ] }",
            "mainstay.yaml:8:22: rollouts.quick[0]: 'hold' is missing: how long to watch before the next stage, such as 1m",
            "mainstay.yaml:8:58: rollouts.quick[1].hold: '-1s' is not a duration: write a number and a unit, such as 500ms, 5s, 1m30s or 2h"
        ),
        Bad(
            service: "share", "rollouts: { quick: [ { share: 5, hold: 1m }, { share: 101% } ] }",
            "mainstay.yaml:8:31: rollouts.quick[0].share: '5' is not a share from 0.01% to 100%",
            "mainstay.yaml:8:55: rollouts.quick[1].share: '101%' is not a share from 0.01% to 100%"),
        Bad(
            service: "empty", "rollouts: { quick: [], slow: 5% }",
            "mainstay.yaml:8:20: rollouts.quick: a rollout needs at least one stage: the last one is { share: 100% }",
            "mainstay.yaml:8:30: rollouts.slow: a list of stages such as { share: 5%, hold: 1m } is expected here, not text"
        ),
    ]

    static let journeys = [
        Bad(
            service: "no steps", "journeys: { j: { every: 5s } }",
            "mainstay.yaml:8:13: journeys.j: 'steps' is missing: what a user does, step by step"),
        Bad(
            service: "empty steps", "journeys: { j: { steps: [] } }",
            "mainstay.yaml:8:18: journeys.j.steps: there are no steps in it"),
        Bad(
            service: "which action",
            "journeys:\n  j:\n    steps:\n      - name: a\n      - { name: b, gte: / }\n      - { get: /, put: / }",
            "mainstay.yaml:11:9: journeys.j.steps[0]: what to do is missing: give one of get, head, post, put, patch, delete, options, sql",
            "mainstay.yaml:12:20: journeys.j.steps[1].gte: unknown key 'gte'; did you mean 'get'?",
            "mainstay.yaml:13:19: journeys.j.steps[2].put: only one of get, head, post, put, patch, delete, options, sql can be given; 'get' is there already"
        ),
        Bad(
            service: "eventually", "journeys: { j: { every: 5s, steps: [ { get: /, eventually: 6s } ] } }",
            "mainstay.yaml:8:60: journeys.j.steps[0].eventually: the step may wait longer (6s) than the whole journey may take (5s)"
        ),
        Bad(
            service: "eventually post", "journeys: { j: { steps: [ { post: /, eventually: 1s } ] } }",
            "mainstay.yaml:8:38: journeys.j.steps[0].eventually: it repeats the whole request, which a post must not be: move it to a step that reads"
        ),
        Bad(
            service: "no database", "journeys: { j: { steps: [ { sql: SELECT 1 AS n, expect: { n: 1 } } ] } }",
            "mainstay.yaml:8:27: journeys.j.steps[0]: 'on' is missing: give shop a database under 'databases'"),
        Bad(
            service: "wrong database",
            "    databases: { main: a, other: b }\njourneys: { j: { steps: [ { sql: SELECT 1 AS n, on: mian, expect: { n: 1 } }, { sql: SELECT 1 AS n, expect: { n: 1 } } ] } }",
            "mainstay.yaml:9:53: journeys.j.steps[0].on: there is no database of shop 'mian'; did you mean 'main'?",
            "mainstay.yaml:9:79: journeys.j.steps[1]: 'on' is missing: name one of main, other"),
        Bad(
            service: "no expectation",
            "    databases: { main: a }\njourneys: { j: { steps: [ { name: count, sql: SELECT 1 } ] } }",
            "mainstay.yaml:9:27: journeys.j.steps[0]: a SQL step without an expectation proves nothing"),
        Bad(
            service: "variables",
            "    databases: { main: a }\njourneys:\n  j:\n    variables: { product: { random: 1..5 } }\n    steps:\n      - { get: \"/{{prodcut}}\" }\n      - { sql: \"SELECT :ueser AS n\", expect: { n: 1 } }",
            "mainstay.yaml:13:9: journeys.j.steps[0]: uses {{prodcut}}, which nothing sets; did you mean 'product'?",
            "mainstay.yaml:14:9: journeys.j.steps[1]: uses :ueser, which nothing sets; did you mean 'user'?"),
        Bad(
            service: "range",
            "journeys: { j: { variables: { a: { random: 5..1 } }, secrets: tokn, steps: [ { get: / } ] } }",
            "mainstay.yaml:8:31: journeys.j.variables.a: 'random' is a range such as 1..10000, not '5..1'",
            "mainstay.yaml:8:63: journeys.j.secrets: there is no variable or capture 'tokn'"),
        Bad(
            service: "path", "journeys: { j: { steps: [ { get: api }, { put: \"/{{\" } ] } }",
            "mainstay.yaml:8:34: journeys.j.steps[0].get: 'api' is neither a path that begins with / nor a URL",
            "mainstay.yaml:8:48: journeys.j.steps[1].put: '/{{' opens {{ and does not close it"),
        Bad(
            service: "JSONPath",
            "journeys: { j: { steps: [ { get: /, expect: { \"$.a[\": 1 }, capture: { x: bdoy } } ] } }",
            "mainstay.yaml:8:47: journeys.j.steps[0].expect.$.a[: '$.a[' is not a JSONPath: a name in quotes, an index, a slice, * or ? is expected",
            "mainstay.yaml:8:74: journeys.j.steps[0].capture.x: 'bdoy' is not known: status, took, body, header.NAME, cookie.NAME and JSONPaths ($.a.b) are; did you mean 'body'?"
        ),
        Bad(
            service: "reserved header",
            "journeys: { j: { steps: [ { get: /, headers: { mainstay-synthetic: x, \"a b\": c } } ] } }",
            "mainstay.yaml:8:48: journeys.j.steps[0].headers.mainstay-synthetic: Mainstay sets Mainstay-Synthetic itself",
            "mainstay.yaml:8:71: journeys.j.steps[0].headers.a b: 'a b' is not the name of a header"),
        Bad(
            service: "account", "journeys: { j: { steps: [ { post: /, json: { p: \"{{account.password}}\" } } ] } }",
            "mainstay.yaml:8:27: journeys.j.steps[0]: uses {{account.password}}, which nothing sets: give the service an 'account'"
        ),
        Bad(
            service: "account declared wrongly",
            "    account: { email: a, password-file: none }\n"
                + "journeys: { j: { steps: [ { post: /, json: { p: \"{{account.password}}\" } } ] } }",
            "mainstay.yaml:8:41: services.shop.account.password-file: 'none' cannot be read: there is no such file"),
        Bad(
            service: "bodies", "journeys: { j: { steps: [ { post: /, json: {}, form: {} } ] } }",
            "mainstay.yaml:8:48: journeys.j.steps[0].form: only one of json, form and body can be given"),
        Bad(
            "service of a journey",
            "services: { a: { team: shop, url: \"http://a.test\" }, b: { team: shop } }\njourneys: { j: { steps: [ { get: / } ] }, k: { service: b, steps: [ { get: / } ] } }",
            "mainstay.yaml:5:13: journeys.j: 'service' is missing: there are several services (a, b)",
            "mainstay.yaml:5:76: journeys.k.steps[0].get: b has no 'url' that this path could belong to"),
    ]
}
