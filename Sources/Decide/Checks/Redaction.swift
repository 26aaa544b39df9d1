/// Replaces secrets in whatever leaves a run: as they are, percent-encoded, and as JSON writes them.
package struct Redaction: Sendable {
    package static let mark = "•••"
    private var needles: [String]

    package init(_ secrets: [String]) {
        var needles: Set<String> = []
        for secret in secrets where !secret.isEmpty {
            let quoted = JSONValue.string(secret).compactText
            needles.formUnion([secret, PercentEncoding.encode(secret), String(quoted.dropFirst().dropLast())])
        }
        // Longest first: a secret that contains another must not be left in part.
        self.needles = needles.sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    }

    package func callAsFunction(_ text: String) -> String {
        needles.reduce(text) { $0.replacing($1, with: Self.mark) }
    }

    package func callAsFunction(_ result: CheckResult) -> CheckResult {
        guard !needles.isEmpty else { return result }
        var result = result
        if let failure = result.failure { result.failure?.message = self(failure.message) }
        for index in result.steps.indices {
            result.steps[index].did = self(result.steps[index].did)
            result.steps[index].failure = result.steps[index].failure.map { self($0) }
        }
        return result
    }
}
