import Decide
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Record
import Testing

@testable import Web

@Suite("API: operations and the document")
struct APIOperationsTests {
    @Test("the document covers every route for programs, and no other")
    func openAPICoversRoutes() async throws {
        try await withAPI { house, client async throws in
            let document = try await client.send(.get, "/openapi.json").json
            #expect(document["openapi"] == "3.1.0")
            var described: Set<String> = []
            for (path, operations) in document["paths"]?.object ?? [:] {
                for method in operations.object?.keys ?? [:].keys { described.insert("\(method.uppercased()) \(path)") }
            }
            let prefixes = ["/api/", "/ofrep/", "/healthz", "/metrics", "/openapi.json"]
            let routed = buildRouter(house.services).routes.filter { route in
                prefixes.contains { route.path.description.hasPrefix($0) }
            }
            #expect(described == Set(routed.map { "\($0.method.rawValue) \($0.path.description)" }))
        }
    }

    @Test("every operation has a name of its own, and every schema that is named is there")
    func documentIsWhole() {
        let document = OpenAPI.document(API.endpoints, version: "test")
        let operations = (document["paths"]?.object ?? [:]).values.flatMap { ($0.object ?? [:]).values }
        let names = operations.compactMap { $0["operationId"]?.string }
        #expect(names.count == operations.count && Set(names).count == names.count)
        #expect(operations.allSatisfy { $0["responses"]?["500"] != nil && $0["summary"] != nil })
        let known = Set((document["components"]?["schemas"]?.object ?? [:]).keys)
        let named = document.strings.compactMap { text in
            text.hasPrefix("#/components/schemas/") ? String(text.dropFirst("#/components/schemas/".count)) : nil
        }
        #expect(Set(named).subtracting(known).isEmpty)
        #expect(known.subtracting(named).isEmpty)
    }

    @Test("health tells what is wrong")
    func health() async throws {
        try await withAPI(adjust: { house in
            house.services.vitals = [
                Vital("scheduler") { "it has not run for 1 min" }, Vital("mail") { nil },
            ]
        }) { _, client async throws in
            let answer = try await client.send(.get, "/healthz")
            #expect(answer.status == 503)
            #expect(answer["reasons"] == ["scheduler: it has not run for 1 min"])
        }
        try await withAPI { _, client async throws in
            let answer = try await client.send(.get, "/healthz")
            #expect(answer.status == 200)
            #expect(answer["version"] == "1.2.3")
        }
    }

    @Test("metrics are Prometheus text: each name helped and typed once, its lines together")
    func metrics() async throws {
        try await withAPI(adjust: { house in
            house.services.gauges = [
                { [MetricSample("mainstay_scheduler_lateness_seconds", "How late.", value: 0.25)] }
            ]
        }) { house, client async throws in
            try await house.openIncident()
            _ = try await client.get("/api/v1/incidents")
            _ = try await client.get("/api/v1/flags/storefront/a\"b\\c")
            let text = try await client.send(.get, "/metrics").text
            for line in [
                "mainstay_incidents_open 1", "mainstay_checks{status=\"failing\"} 1",
                "mainstay_outbox_depth{lane=\"act\"} 1", "mainstay_scheduler_lateness_seconds 0.25",
                "mainstay_http_requests_total{method=\"GET\",route=\"/api/v1/incidents\",status=\"200\"} 1",
                "mainstay_http_requests_total{method=\"GET\",route=\"/api/v1/flags/{service}/{key}\",status=\"404\"} 1",
                "mainstay_http_request_duration_seconds_count 2",
            ] { #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)") }
            let types = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
            #expect(Set(types).count == types.count)
            var (seen, last): (Set<Substring>, Substring) = ([], "")
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                let name = line.prefix { $0 != "{" && $0 != " " }
                if name != last { #expect(seen.insert(name).inserted, "\(name) is scattered") }
                last = name
            }
        }
    }
}

@Suite("API: accounts and tokens")
struct APIAccountTests {
    @Test("an account is made, gets a new password, and is disabled and enabled")
    func accounts() async throws {
        try await withAPI { house, client async throws in
            let made = try await client.post(
                "/api/v1/accounts", as: .admin,
                ["name": "lin", "role": "viewer", "password": "a long enough password"])
            #expect(made.status == 201)
            #expect(!made.text.contains("password"))
            let twice = try await client.post(
                "/api/v1/accounts", as: .admin, ["name": "lin", "role": "viewer", "password": "a long enough password"])
            #expect(twice.status == 409)
            let new: JSONValue = ["password": "another long password"]
            #expect(try await client.post("/api/v1/accounts/lin/password", as: .admin, new).status == 200)
            let signIn: JSONValue = ["name": "lin", "password": "another long password"]
            #expect(try await client.send(.post, "/api/v1/session", signIn).status == 201)
            #expect(try await client.post("/api/v1/accounts/lin/disable", as: .admin)["isDisabled"] == true)
            #expect(try await client.send(.post, "/api/v1/session", signIn).status == 401)
            #expect(try await client.post("/api/v1/accounts/lin/enable", as: .admin)["isDisabled"] == false)
            #expect(try await client.post("/api/v1/accounts/admin/disable", as: .admin).status == 409)
            #expect(try await client.post("/api/v1/accounts/none/enable", as: .admin).status == 404)
            let names = try await client.send(.get, "/api/v1/accounts", as: .admin).items.compactMap {
                $0["name"]?.string
            }
            #expect(names == ["admin", "lin", "responder", "viewer"])
        }
    }

    @Test("a bad account is refused with every reason")
    func invalid() async throws {
        try await withAPI { _, client async throws in
            let answer = try await client.post(
                "/api/v1/accounts", as: .admin, ["name": "", "role": "king", "password": "short"])
            #expect(answer.status == 422)
            #expect(Set(answer.fields) == ["name", "role", "password"])
        }
    }

    @Test("a token is shown once, works, and ends when it is revoked")
    func tokens() async throws {
        try await withAPI { _, client async throws in
            let made = try await client.post(
                "/api/v1/tokens", as: .admin, ["name": "shop", "account": "responder", "scopes": ["service"]])
            #expect(made.status == 201)
            let token = try #require(made["token"].string)
            let headers: HTTPFields = [.authorization: "Bearer \(token)"]
            #expect(try await client.send(.get, "/api/v1/session", headers: headers)["scopes"] == ["service"])
            let list = try await client.send(.get, "/api/v1/tokens", as: .admin)
            #expect(!list.text.contains(token))
            let digest = try #require(made["digest"].string)
            #expect(try await client.send(.delete, "/api/v1/tokens/\(digest)", as: .admin).status == 204)
            #expect(try await client.send(.get, "/api/v1/session", headers: headers).status == 401)
            #expect(try await client.send(.delete, "/api/v1/tokens/\(digest)", as: .admin).status == 404)
            let wrong = try await client.post("/api/v1/tokens", as: .admin, ["name": "x", "scopes": ["magic"]])
            #expect(wrong.fields == ["scopes"])
        }
    }
}
