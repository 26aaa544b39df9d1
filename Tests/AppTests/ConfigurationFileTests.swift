import Testing

@testable import App

/// Files that are wrong before anything in them is looked at, and values that come from elsewhere.
struct ConfigurationFileTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        var what: String
        var text: String
        var problems: [String]

        var testDescription: String { what }

        init(_ what: String, _ text: String, _ problems: String...) {
            self.what = what
            self.text = text
            self.problems = problems
        }
    }

    private static let service = "services: { shop: { team: shop } }\n"

    @Test(
        "says what is wrong with people, channels and teams",
        arguments: [
            Bad("person", "people: { ada: ada, lin: {}, eva: { mail: e@x } }\nteams: { shop: ada }\n" + service, "?"),
            Bad("no mail server", "people: { ada: a@x.test }\nteams: { shop: ada }\n" + service, "?"),
            Bad("empty team", "teams: { shop: [], data: }\n" + service, "?"),
            Bad(
                "member", "people: { ada: a@x.test }\nteams: { shop: [ adda ], data: { people: [ lin ], chanels: [] } }\n"
                    + "channels: { email: { smtp: \"smtp://a\", from: m@x.test } }\n" + service, "?"),
            Bad(
                "mail", "people: { ada: a@x.test }\nteams: { shop: ada }\nchannels:\n"
                    + "  email: { smtp: \"http://a\", form: a@x }\n  more: { smtp: \"smtp://u:hunter2@a\", from: a@x }\n" + service, "?"),
            Bad(
                "mail user", "people: { ada: a@x.test }\nteams: { shop: ada }\nchannels:\n"
                    + "  email: { smtp: \"smtp://a\", from: a@x, user: ada, tls: always }\n" + service, "?"),
            Bad(
                "channels", "teams: { shop: [ chat ] }\nchannels:\n  chat: { slack: hooks.example.test/hunter2 }\n"
                    + "  bot: { webhook: \"https://a.test\" }\n  pager: { url: \"https://a.test\" }\n  none:\n" + service, "?"),
        ])
    func people(bad: Bad) {
        #expect(ConfigurationFixture.problems(bad.text) == bad.problems)
    }

    @Test(
        "says where a file stops being YAML",
        arguments: [
            Bad("empty", "", "?"),
            Bad("comment", "# nothing\n", "?"),
            Bad("text", "hello", "?"),
            Bad("list", "- a\n- b\n", "?"),
            Bad("bracket", "services: { shop: { team: [ a }\n", "?"),
            Bad("tab", "services:\n\tshop: {}\n", "?"),
            Bad("quote", "people: { ada: \"a@x }\n", "?"),
            Bad("twice", "services:\n  shop: {}\n  shop: {}\n", "?"),
            Bad("two documents", "a: 1\n---\nb: 2\n", "?"),
            Bad("alias of nothing", "a: *b\n", "?"),
            Bad("unquoted template", "services: { shop: { team: {{team}} } }\n", "?"),
            Bad("NUL", "a: \u{0}\n", "?"),
        ])
    func syntax(bad: Bad) {
        #expect(ConfigurationFixture.problems(bad.text) == bad.problems)
    }

    @Test(
        "names the environment variable that is missing, and quotes none",
        arguments: [
            Bad("missing", "${TEAM}", "?"),
            Bad("empty", "${EMPTY}", "?"),
            Bad("not closed", "${TEAM", "?"),
            Bad("no name", "${1:-shop}", "?"),
            Bad("wrong value", "${WRONG}", "?"),
            Bad("fallback", "${TEAM:-hsop}", "?"),
            Bad("fine", "${FINE}"),
            Bad("fine fallback", "${TEAM:-shop}"),
            Bad("escaped", "$${FINE}", "?"),
        ])
    func environment(bad: Bad) {
        let text = ConfigurationFixture.people + "services: { shop: { team: \"\(bad.text)\" } }"
        let environment = ["EMPTY": "", "WRONG": "hunter2", "FINE": "shop"]
        #expect(ConfigurationFixture.problems(text, environment: environment) == bad.problems)
    }

    @Test("says no secret in any problem")
    func secrets() {
        let secret = "hunter2-hunter2-hunter2"
        let text =
            ConfigurationFixture.people + """
                services:
                  shop:
                    team: "${SECRET}"
                    url: "${SECRET}"
                    token: hunter2
                    account: { email: ada, password: "${SECRET}" }
                    databases: { main: "mysql://a:${SECRET}@b/c" }
                    features: { f: { flag: "${SECRET}", severity: "${SECRET}", reports: { users: "${SECRET}" } } }
                checks:
                  a: { http: "ftp://${SECRET}", every: "${SECRET}", expect: { status: "${SECRET}" } }
                  b: { tcp: "${SECRET}" }
                  c: { postgres: "${SECRET}" }
                journeys:
                  j:
                    variables: { a: { random: "${SECRET}" } }
                    steps: [ { get: "${SECRET}", expect: { status: "${SECRET}", $.a: { type: "${SECRET}" } } } ]
                """
        let problems = ConfigurationFixture.problems(text, environment: ["SECRET": secret])
        #expect(problems.count >= 12)
        #expect(problems.filter { $0.contains("hunter2") } == [])
    }

    @Test("reads a folder's files as one, and finds what is declared twice")
    func folder() throws {
        let people = ("people.yaml", ConfigurationFixture.people)
        let shop = ("shop.yaml", "services: { shop: { team: shop } }\n")
        let data = ("data.yaml", "# ours\nservices: { data: { team: shop } }\n")
        let configuration = try ConfigurationFixture.load([data, people, shop])
        #expect(configuration.services.keys.sorted() == ["data", "shop"])
        let again = ("again.yaml", "server: {}\nservices:\n  shop: { team: shop }\n")
        let more = ("more.yaml", "server: {}\n")
        #expect(
            ConfigurationFixture.problems([people, shop, again, more]) == ["?"])
    }

    @Test("finds aliases that would grow without bound before they do")
    func bombs() {
        var bomb = "a0: &a0 [ x, x, x, x, x, x, x, x, x ]\n"
        for level in 1...7 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [ \(aliases) ]\n"
        }
        #expect(ConfigurationFixture.problems(bomb) == ["?"])
        let nodes = "a: &a [ \(Array(repeating: "x", count: 1_000).joined(separator: ", ")) ]\n"
            + "b: [ \(Array(repeating: "*a", count: 60).joined(separator: ", ")) ]\n"
        #expect(ConfigurationFixture.problems(nodes).first?.contains("more than 50000 values") == true)
        for key in ["? *a\n: 1", "*a : 1", "[ *a ]: 1", "{ b: *a } : 1", "c: { [ *a, 1 ]: 2 }", "? - *a\n: 1"] {
            let problems = ConfigurationFixture.problems("a: &a [ x ]\n\(key)\n")
            #expect(problems.count == 1 && problems[0].contains("an alias cannot be part of a key"), "\(key): \(problems)")
        }
    }

    @Test("reads anchors, aliases and merge keys")
    func aliases() throws {
        let text =
            ConfigurationFixture.people + ConfigurationFixture.service + """
                checks:
                  a: &often { http: /a, every: 5s, timeout: 2s }
                  b: { <<: *often, http: "/b?x=*y&z" }
                """
        let configuration = try ConfigurationFixture.load(text)
        #expect(configuration.checks.map(\.every) == [.seconds(5), .seconds(5)])
    }

    @Test("has limits on size and nesting")
    func limits() {
        let large = "people: {}\n#" + String(repeating: "x", count: 1 << 20)
        #expect(ConfigurationFixture.problems(large) == ["mainstay.yaml:1:1: the file is larger than 1 MiB"])
        let deep = "a: " + String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        #expect(ConfigurationFixture.problems(deep) == ["?"])
        let deeper = "a: " + String(repeating: "[", count: 100_000)
        #expect(ConfigurationFixture.problems(deeper).count == 1)
    }

    @Test("takes any mutation of a good file or refuses it with a place", arguments: 0..<8)
    func fuzz(seed: Int) throws {
        let path = ConfigurationFixture.root.appendingPathComponent("examples/storefront.yaml").path
        let original = try TextFile.read(path, limit: 1 << 20).get()
        let environment = [
            "STOREFRONT_TOKEN": "0123456789abcdef", "MAINSTAY_SYNTHETIC_SECRET": "s3cret-s3cret",
            "STOREFRONT_SYNTHETIC_PASSWORD": "pass-pass",
        ]
        var generator = SeededNumbers(seed: UInt64(seed))
        for _ in 0..<60 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...5, using: &generator) where !bytes.isEmpty { mutate(&bytes, &generator) }
            let source = ConfigurationSource(name: "m.yaml", folder: "/", bytes: bytes)
            do throws(ConfigurationErrors) {
                _ = try ConfigurationLoader.read([source], environment: environment)
            } catch {
                #expect(!error.problems.isEmpty)
                #expect(error.problems.allSatisfy { $0.line >= 1 && $0.column >= 1 && !$0.message.isEmpty })
                #expect(!error.description.contains("s3cret-s3cret") && !error.description.contains("pass-pass"))
            }
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededNumbers) {
        let place = Int.random(in: bytes.indices, using: &generator)
        let end = min(bytes.count, place + Int.random(in: 1...40, using: &generator))
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.removeSubrange(place..<end)
        case 2: bytes.insert(Array("{}[]:,&*?-|>'\"%#!\n\t ".utf8).randomElement(using: &generator) ?? 0, at: place)
        case 3:
            let part = Array(bytes[place..<end])
            bytes.insert(contentsOf: part, at: Int.random(in: 0...bytes.count, using: &generator))
        case 4: bytes.insert(contentsOf: Array("{{x}}".utf8), at: place)
        default: bytes.replaceSubrange(place..<end, with: Array("${NOPE}".utf8))
        }
    }
}
