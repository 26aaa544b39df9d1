import AsyncHTTPClient
import Decide
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// Simulated customers: each has an account, signs in, and uses the shop at a person's pace until the drill is over.
///
/// They behave as people do: they press the button, look whether it worked, try again, and complain when it does not.
final class Crowd: Sendable {
    struct Tally: Sendable {
        var signedIn = 0
        var requests = 0
        var failures = 0
        /// Users whose press was answered with success and who did not find the product in their list.
        var fooled: Set<Int> = []
        /// Reports that the shop said it delivered.
        var reportsDelivered = 0
        var lastFailure: String?
    }

    private static let signInsAtOnce = 4
    private static let answerLimit = 1 << 20

    let plan: DrillPlan
    private let url: String
    private let products: Int
    private let counts = Mutex(Tally())

    init(plan: DrillPlan, url: String, products: Int) {
        self.plan = plan
        self.url = url
        self.products = products
    }

    var tally: Tally { counts.withLock { $0 } }

    /// Until cancelled.
    func run() async {
        let users = Array(1...plan.users)
        let tokens = await signIn(users)
        await withDiscardingTaskGroup { group in
            for (user, token) in tokens {
                let fan = user * 10_000 <= plan.users * plan.featureUsers
                group.addTask { await self.live(user, token, usesFeature: fan) }
            }
        }
    }

    private func signIn(_ users: [Int]) async -> [Int: String] {
        await withTaskGroup(of: (Int, String?).self) { group in
            var waiting = users[...]
            var tokens: [Int: String] = [:]
            func next() {
                guard let user = waiting.popFirst() else { return }
                group.addTask { (user, await self.token(user)) }
            }
            for _ in 0..<Self.signInsAtOnce { next() }
            for await (user, token) in group {
                if let token {
                    tokens[user] = token
                    counts.withLock { $0.signedIn += 1 }
                }
                if !Task.isCancelled { next() }
            }
            return tokens
        }
    }

    private func token(_ user: Int) async -> String? {
        let number = String(user)
        let email = "user" + String(repeating: "0", count: max(0, 4 - number.count)) + number + "@storefront.test"
        let answer = await send(
            .POST, "/api/session", nil, .object(["email": .string(email), "password": "demo"]))
        return answer?.body["token"]?.string
    }

    // MARK: One customer

    private func live(_ user: Int, _ token: String, usesFeature: Bool) async {
        // Seeded by the user, so that a drill's crowd does the same each time.
        var dice = Dice(seed: UInt64(user))
        var disappointments = 0
        var hasComplained = false
        let pace = Double(plan.users) / Double(plan.requestsPerSecond)
        await pause(pace * dice.fraction())
        while !Task.isCancelled {
            if usesFeature, dice.fraction() < 0.5 {
                let worked = await favorite(user, token, &dice, pace)
                disappointments = worked == false ? disappointments + 1 : 0
                if disappointments >= 2, !hasComplained {
                    hasComplained = await complain(token)
                }
            } else {
                await browse(token, &dice)
            }
            await pause(pace * (0.5 + dice.fraction()))
        }
    }

    /// Nil when the shop did not answer with success: that is another kind of trouble.
    private func favorite(_ user: Int, _ token: String, _ dice: inout Dice, _ pace: Double) async -> Bool? {
        let product = dice.number(products) + 1
        guard let press = await send(.PUT, "/api/favorites/\(product)", token), press.status == 201 else { return nil }
        await pause(pace * (0.5 + dice.fraction()))
        guard let list = await send(.GET, "/api/favorites?page_size=100", token), list.status == 200 else { return nil }
        let items = list.body["items"]?.array ?? []
        let isThere = items.contains { $0["product"]?.string == String(product) }
        if isThere {
            await pause(pace * (0.5 + dice.fraction()))
            _ = await send(.DELETE, "/api/favorites/\(product)", token)
        } else if !Task.isCancelled {
            counts.withLock { _ = $0.fooled.insert(user) }
        }
        return isThere
    }

    private func browse(_ token: String, _ dice: inout Dice) async {
        switch dice.number(10) {
        case 0...3: _ = await send(.GET, "/api/products?page=\(dice.number(5) + 1)", token)
        case 4...6: _ = await send(.GET, "/api/products/\(dice.number(products) + 1)", token)
        case 7...8: _ = await send(.GET, "/api/posts", token)
        default: _ = await send(.GET, "/api/favorites", token)
        }
    }

    private func complain(_ token: String) async -> Bool {
        let answer = await send(
            .POST, "/api/reports", token,
            .object([
                "feature": .string(plan.release.feature),
                "text": "I press Add to Favorites, it says it worked, and my list stays empty.",
                "page": "/favorites",
            ]))
        let delivered = answer.map { (200..<300).contains($0.status) } ?? false
        if delivered { counts.withLock { $0.reportsDelivered += 1 } }
        return delivered
    }

    // MARK: HTTP

    private func send(
        _ method: HTTPMethod, _ path: String, _ token: String?, _ body: JSONValue? = nil
    ) async -> (status: Int, body: JSONValue)? {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        do {
            if let body {
                request.headers.add(name: "Content-Type", value: "application/json")
                request.body = .bytes(Array(try JSONEncoder().encode(body)))
            }
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            let bytes = Array(try await response.body.collect(upTo: Self.answerLimit).readableBytesView)
            let status = Int(response.status.code)
            counts.withLock { $0.requests += 1 }
            if status >= 400 { note("\(method) \(path) → \(status)") }
            return (status, bytes.isEmpty ? .null : try JSONDecoder().decode(JSONValue.self, from: Data(bytes)))
        } catch is CancellationError {
            return nil
        } catch {
            if !Task.isCancelled { note("\(method) \(path): \(error)") }
            return nil
        }
    }

    private func note(_ failure: String) {
        counts.withLock { tally in
            tally.failures += 1
            tally.lastFailure = failure
        }
    }

    private func pause(_ seconds: Double) async {
        do { try await Task.sleep(for: .seconds(seconds)) } catch { return }
    }
}

/// Small seeded random numbers (SplitMix64, Steele, Lea, Flood, 2014): repeatable, no cryptography.
struct Dice {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15
    }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0 ..< 1
    mutating func fraction() -> Double { Double(next() >> 11) / Double(1 << 53) }

    /// 0 ..< limit
    mutating func number(_ limit: Int) -> Int { Int(fraction() * Double(limit)) }
}
