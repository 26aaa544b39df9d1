import AsyncHTTPClient
import Foundation
import Logging
import MainstayKit

/// Nanoseconds per evaluation through the public API of MainstayKit, as a service calls it: the snapshot of the
/// definitions is read each time. Prints median and spread of `repetitions` runs.
@main
struct Evaluation {
    static let repetitions = 31
    static let evaluations = 100_000

    /// As Mainstay sends them: static, a rollout over a rule on attributes, and a rule with references.
    static let definitions = """
        {"version": 3, "flags": {
          "static": {"state": "ENABLED", "variants": {"v1": "v1", "v2": "v2"}, "defaultVariant": "v1"},
          "rollout": {"state": "ENABLED", "variants": {"v1": "v1", "v2": "v2"}, "defaultVariant": "v1", "targeting":
            {"if": [{"==": [{"fractional": [["v2", 500], ["", 9500]]}, "v2"]}, "v2",
              {"if": [{"and": [{"ends_with": [{"var": "email"}, "@example.com"]}, {"==": [{"var": "plan"}, "pro"]}]},
                "v2", null]}]}},
          "targeted": {"state": "ENABLED", "variants": {"v1": "v1", "v2": "v2"}, "defaultVariant": "v1", "targeting":
            {"if": [{"in": [{"var": "country"}, ["DE", "FR", "PL"]]},
              {"fractional": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "email"}]}, ["v1", 50], ["v2", 50]]}, null]}}
        }}
        """

    static func main() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "evaluation-\(UUID().uuidString).json")
        try Data(definitions.utf8).write(to: file)
        let client = HTTPClient(eventLoopGroupProvider: .singleton)
        var logger = Logger(label: "evaluation")
        logger.logLevel = .error
        // The client is never run: with an address it records exposures, and nothing is sent.
        let mainstay = Mainstay(
            configuration: MainstayConfiguration(
                url: "http://127.0.0.1:9", service: "benchmark", cacheFile: file.path),
            httpClient: client, logger: logger)
        measureAll(mainstay)
        try await client.shutdown()
        try FileManager.default.removeItem(at: file)
    }

    static func measureAll(_ mainstay: Mainstay) {
        let user = UserContext(
            key: "user-1234567890", attributes: ["email": "ada@example.com", "plan": "pro", "country": "DE"])
        precondition(mainstay.evaluate("targeted", for: user).reason == .targetingMatch, "the definitions must load")
        print(row("evaluation", "median", "fastest", "p90", "slowest"))
        report("evaluate, static") { mainstay.evaluate("static", for: user).version }
        report("evaluate, targeting + fractional") { mainstay.evaluate("rollout", for: user).version }
        report("evaluate, computed key + fractional") { mainstay.evaluate("targeted", for: user).version }
        report("variant and exposure, static") {
            Int64(mainstay.variant("static", default: "v1", for: user).utf8.count)
        }
        report("variant and exposure, targeting + fractional") {
            Int64(mainstay.variant("rollout", default: "v1", for: user).utf8.count)
        }
    }

    static func report(_ name: String, _ evaluate: () -> Int64) {
        var sink: Int64 = 0
        let clock = ContinuousClock()
        var nanoseconds: [Double] = []
        // The first run warms up and is not counted.
        for repetition in 0...repetitions {
            let elapsed = clock.measure {
                for _ in 0..<evaluations { sink &+= evaluate() }
            }
            if repetition > 0 { nanoseconds.append(elapsed / .nanoseconds(1) / Double(evaluations)) }
        }
        nanoseconds.sort()
        let figures = [repetitions / 2, 0, repetitions * 9 / 10, repetitions - 1]
            .map { "\(Int(nanoseconds[$0].rounded())) ns" }
        print(row(name, figures[0], figures[1], figures[2], figures[3]) + (sink == .min ? " " : ""))
    }

    static func row(_ name: String, _ figures: String...) -> String {
        let padded = figures.map { String(repeating: " ", count: max(0, 9 - $0.count)) + $0 }.joined(separator: " ")
        return name + String(repeating: " ", count: max(1, 46 - name.count)) + padded
    }
}
