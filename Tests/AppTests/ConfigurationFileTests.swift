import Decide
import Foundation
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
            Bad(
                "person", "people: { ada: ada, lin: {}, eva: { mail: e@x } }\nteams: { shop: ada }\n" + service,
                "mainstay.yaml:1:16: people.ada: 'ada' is not an e-mail address",
                "mainstay.yaml:1:21: people.lin: 'email' is missing: pages are sent there",
                "mainstay.yaml:1:37: people.eva.mail: unknown key 'mail'; did you mean 'email'?",
                "mainstay.yaml:2:16: teams.shop: ada is paged by e-mail, but there is no mail server: add one under 'channels', such as email: { smtp: \"smtp://…\", from: … }"
            ),
            Bad(
                "no mail server", "people: { ada: a@x.test }\nteams: { shop: ada }\n" + service,
                "mainstay.yaml:2:16: teams.shop: ada is paged by e-mail, but there is no mail server: add one under 'channels', such as email: { smtp: \"smtp://…\", from: … }"
            ),
            Bad(
                "empty team", "teams: { shop: [], data: }\n" + service,
                "mainstay.yaml:1:10: teams.shop: nobody is in this team, so nobody would be paged: name people or channels",
                "mainstay.yaml:1:20: teams.data: nobody is in this team, so nobody would be paged: name people or channels"
            ),
            Bad(
                "member",
                "people: { ada: a@x.test }\nteams: { shop: [ adda ], data: { people: [ lin ], chanels: [] } }\n"
                    + "channels: { email: { smtp: \"smtp://a\", from: m@x.test } }\n" + service,
                "mainstay.yaml:2:18: teams.shop[0]: there is no person or channel 'adda'; did you mean 'ada'?",
                "mainstay.yaml:2:44: teams.data.people[0]: there is no person 'lin' (there are ada)",
                "mainstay.yaml:2:51: teams.data.chanels: unknown key 'chanels'; did you mean 'channels'?"),
            Bad(
                "mail",
                "people: { ada: a@x.test }\nteams: { shop: ada }\nchannels:\n"
                    + "  email: { smtp: \"http://a\", form: a@x }\n  more: { smtp: \"smtp://u:hunter2@a\", from: a@x }\n"
                    + service,
                "mainstay.yaml:4:18: channels.email.smtp: a mail server is smtp://host:port or smtps://host:port",
                "mainstay.yaml:4:30: channels.email.form: unknown key 'form'; did you mean 'from'?",
                "mainstay.yaml:5:11: channels.more.smtp: there is a mail server already ('email'); one is used for all mail",
                "mainstay.yaml:5:17: channels.more.smtp: put user and password under 'user' and 'password-file', not into the URL"
            ),
            Bad(
                "mail user",
                "people: { ada: a@x.test }\nteams: { shop: ada }\nchannels:\n"
                    + "  email: { smtp: \"smtp://a\", from: a@x, user: ada, tls: always }\n" + service,
                "mainstay.yaml:4:41: channels.email.user: 'password' or 'password-file' is missing beside the user",
                "mainstay.yaml:4:57: channels.email.tls: 'always' is none of required, when-offered"),
            Bad(
                "channels",
                "teams: { shop: [ chat ] }\nchannels:\n  chat: { slack: hooks.example.test/hunter2 }\n"
                    + "  bot: { webhook: \"https://a.test\" }\n  pager: { url: \"https://a.test\" }\n  none:\n"
                    + service,
                "mainstay.yaml:3:18: channels.chat.slack: this is not a URL that begins with http:// or https://",
                "mainstay.yaml:4:3: channels.bot: 'secret' or 'secret-file' is missing: its receiver verifies by it that Mainstay sent the page",
                "mainstay.yaml:5:3: channels.pager: the kind of channel is missing: give one of smtp, slack, webhook",
                "mainstay.yaml:5:12: channels.pager.url: unknown key 'url' (known are slack, smtp, webhook)",
                "mainstay.yaml:6:3: channels.none: the kind of channel is missing: give one of smtp, slack, webhook"),
        ])
    func people(bad: Bad) {
        #expect(ConfigurationFixture.problems(bad.text) == bad.problems)
    }

    @Test(
        "says where a file stops being YAML",
        arguments: [
            Bad("empty", "", "mainstay.yaml:1:1: the file is empty"),
            Bad("comment", "# nothing\n", "mainstay.yaml:1:1: the file is empty"),
            Bad(
                "text", "hello", "mainstay.yaml:1:1: a mapping with keys such as 'services' is expected here, not text"),
            Bad(
                "list", "- a\n- b\n",
                "mainstay.yaml:1:1: a mapping with keys such as 'services' is expected here, not a list"),
            Bad(
                "bracket", "services: { shop: { team: [ a }\n",
                "mainstay.yaml:1:31: this is not YAML: did not find expected ',' or ']' (while parsing a flow sequence, line 1)"
            ),
            Bad(
                "tab", "services:\n\tshop: {}\n",
                "mainstay.yaml:2:1: this is not YAML: found character that cannot start any token (while scanning for the next token, line 2); indent with spaces, not with tabs"
            ),
            Bad(
                "quote", "people: { ada: \"a@x }\n",
                "mainstay.yaml:4:1: this is not YAML: found unexpected end of stream (while scanning a quoted scalar, line 1)"
            ),
            Bad(
                "twice", "services:\n  shop: {}\n  shop: {}\n",
                "mainstay.yaml:2:3: 'shop' is written more than once in one mapping: keep one of them"),
            Bad(
                "two documents", "a: 1\n---\nb: 2\n",
                "mainstay.yaml:2:1: this is not YAML: but found another document (expected a single document in the stream, line 1)"
            ),
            Bad("alias of nothing", "a: *b\n", "mainstay.yaml:1:4: this is not YAML: found undefined alias"),
            Bad(
                "unquoted template", "services: { shop: { team: {{team}} } }\n",
                "mainstay.yaml:1:28: services.shop.team: a key must be text; put values that begin with '{{' into quotes"
            ),
            Bad("NUL", "a: \u{0}\n", "mainstay.yaml:1:1: this is not YAML: control characters are not allowed"),
        ])
    func syntax(bad: Bad) {
        #expect(ConfigurationFixture.problems(bad.text) == bad.problems)
    }

    @Test(
        "names the environment variable that is missing, and quotes none",
        arguments: [
            Bad(
                "missing", "${TEAM}",
                "mainstay.yaml:4:27: services.shop.team: the environment variable TEAM is not set, or is empty; set it, or give a fallback: ${TEAM:-…}"
            ),
            Bad(
                "empty", "${EMPTY}",
                "mainstay.yaml:4:27: services.shop.team: the environment variable EMPTY is not set, or is empty; set it, or give a fallback: ${EMPTY:-…}"
            ),
            Bad(
                "not closed", "${TEAM",
                "mainstay.yaml:4:27: services.shop.team: '${' is not closed; write '$${' where no variable is meant"),
            Bad(
                "no name", "${1:-shop}",
                "mainstay.yaml:4:27: services.shop.team: '${1}' is not a variable; write ${NAME} or ${NAME:-fallback}"),
            Bad(
                "wrong value", "${WRONG}",
                "mainstay.yaml:4:27: services.shop.team: there is no team '${WRONG}' (there are shop)"),
            Bad(
                "fallback", "${TEAM:-hsop}",
                "mainstay.yaml:4:27: services.shop.team: there is no team '${TEAM:-hsop}'; did you mean 'shop'?"),
            Bad("fine", "${FINE}"),
            Bad("fine fallback", "${TEAM:-shop}"),
            Bad(
                "escaped", "$${FINE}",
                "mainstay.yaml:4:27: services.shop.team: there is no team '$${FINE}' (there are shop)"),
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
            ConfigurationFixture.problems([people, shop, again, more]) == [
                "again.yaml:3:3: services.shop: 'shop' is declared in shop.yaml:1 already",
                "more.yaml:1:1: server: 'server' stands in again.yaml:1 already",
            ])
    }

    @Test("finds aliases that would grow without bound before they do")
    func bombs() {
        var bomb = "a0: &a0 [ x, x, x, x, x, x, x, x, x ]\n"
        for level in 1...7 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [ \(aliases) ]\n"
        }
        #expect(ConfigurationFixture.problems(bomb).first?.contains("more than 50000 values") == true)
        let chain = (1...9).map { "a\($0): &a\($0) x\n" }.joined() + "b: *a1\n"
        #expect(
            ConfigurationFixture.problems(chain) == [
                "mainstay.yaml:9:5: there are more than 8 anchors: write the values out"
            ])
        let nodes =
            "a: &a [ \(Array(repeating: "x", count: 1_000).joined(separator: ", ")) ]\n"
            + "b: [ \(Array(repeating: "*a", count: 60).joined(separator: ", ")) ]\n"
        #expect(ConfigurationFixture.problems(nodes).first?.contains("more than 50000 values") == true)
        for key in ["? *a\n: 1", "*a : 1", "[ *a ]: 1", "{ b: *a } : 1", "c: { [ *a, 1 ]: 2 }", "? - *a\n: 1"] {
            let problems = ConfigurationFixture.problems("a: &a [ x ]\n\(key)\n")
            #expect(
                problems.count == 1 && problems[0].contains("an alias cannot be part of a key"), "\(key): \(problems)")
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
        #expect(ConfigurationFixture.problems(deep).first?.hasSuffix("values are nested more than 40 deep") == true)
        let deeper = "a: " + String(repeating: "[", count: 100_000)
        #expect(ConfigurationFixture.problems(deeper).count == 1)
    }

    @Test("takes any mutation of a good file or refuses it with a place", arguments: 0..<8)
    func fuzz(seed: Int) throws {
        let path = ConfigurationFixture.root.appendingPathComponent("examples/storefront.yaml").path
        let original = try TextFile.read(path, limit: 1 << 20).get()
        let environment = [
            "STOREFRONT_TOKEN": "0123456789abcdef0123456789abcdef", "MAINSTAY_SYNTHETIC_SECRET": "s3cret-s3cret",
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
