import Decide
import EndToEndSupport
import Foundation
import NIOHTTP1
import Testing

extension EndToEnd {
    /// Mainstay is dead; the shop goes on.
    @Suite(.serialized) struct StorefrontAloneTests {
        @Test("the shop starts and serves its last known flags without Mainstay, and follows it again when it is back")
        func alone() async throws {
            try await Town.run { town in
                try town.configure()
                try await town.startMainstay()
                try await town.startStorefront()
                let shopper = try await Shopper.signUp(town.shop)
                #expect(try await shopper.canFavorite(1))
                // v2 answers success and stores nothing: which variant is served can be seen from outside.
                try await Flags.serve("v2", town.api)
                try await eventually("the change arrives") { try await !shopper.canFavorite(2) }

                try await eventually("it is on disk") {
                    try String(contentsOfFile: town.directory + "/flags.json", encoding: .utf8)
                        .filter { !$0.isWhitespace }.contains("\"defaultVariant\":\"v2\"")
                }

                try await town.mainstay.kill()
                try await town.storefront.kill()
                try await town.startStorefront()
                #expect(try await town.shop.get("/healthz")["flags"]?.string == "cache")
                #expect(try await !shopper.canFavorite(3), "the last known variant is served from the cache")
                let report = try await shopper.report("Nothing happens.")
                #expect(report.status == 503)
                #expect(report.json["detail"]?.string?.contains("could not be delivered") == true, "\(report.text)")

                try await town.startMainstay()
                try await eventually("the stream is open again") {
                    try await town.shop.get("/healthz")["flags"]?.string == "stream"
                }
                try await Flags.serve("v1", town.api)
                try await eventually("the change arrives") { try await shopper.canFavorite(4) }
                #expect(try await shopper.report("Now it works.").status == 202)
                let reports = try await town.api.all("/api/v1/reports?service=storefront")
                #expect(reports.compactMap { $0["text"]?.string } == ["Now it works."])
            }
        }

        @Test("the shop starts without ever having met Mainstay, on the variants in its code")
        func strangers() async throws {
            try await Town.run { town in
                try await town.startStorefront()
                #expect(try await town.shop.get("/healthz")["flags"]?.string == "code")
                #expect(try await Shopper.signUp(town.shop).canFavorite(1))
            }
        }
    }
}

/// A customer who uses the shop's API.
struct Shopper: Sendable {
    var door: Door

    static func signUp(_ shop: Door, email: String = "eve@example.test") async throws -> Shopper {
        let answer = try await shop(
            .POST, "/api/users", ["email": .string(email), "name": "Eve", "password": "correct horse"])
        guard answer.status == 201 else { throw Complaint("signing up: \(answer.status) \(answer.text)") }
        let session = try await shop(.POST, "/api/session", ["email": .string(email), "password": "correct horse"])
        guard let token = session.json["token"]?.string else { throw Complaint("signing in: \(session.text)") }
        return Shopper(door: Door(url: shop.url, token: token))
    }

    /// Whether a press of the button shows in the list. The press itself has to be answered with success.
    func canFavorite(_ product: Int) async throws -> Bool {
        let press = try await door(.PUT, "/api/favorites/\(product)")
        guard press.status == 201 || press.status == 200 else { throw Complaint("\(press.status) \(press.text)") }
        let items = try await door.get("/api/favorites?page_size=100")["items"]?.array ?? []
        let isThere = items.contains { $0["product"]?.string == String(product) }
        _ = try await door(.DELETE, "/api/favorites/\(product)")
        return isThere
    }

    func report(_ text: String) async throws -> Door.Answer {
        try await door(.POST, "/api/reports", ["feature": "favorites", "text": .string(text), "page": "/"])
    }
}
