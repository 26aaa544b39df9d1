import Decide
import Testing

@testable import Interop

@Suite("Reviews as SARIF")
struct SarifTests {
    private func review(_ text: String, file: String = "db/q.sql", plan: QueryPlan) throws -> QueryReview {
        let statements = try StatementSplitter.split(SourceText(file: file, text: text))
        let named = StatementIds.assign(statements) { _ in nil }
        let posts = RelationName(schema: "public", name: "posts")
        let subjects = named.map {
            ReviewSubject(
                statement: $0, shape: nil, outcome: .planned(plan),
                facts: [posts: RelationFacts(rows: 200_000, bytes: 1)])
        }
        let database = ReviewedDatabase(
            summary: "database d", version: "15.4", role: "r", searchPath: "public", isRehearsed: false)
        return .judge(subjects, database: database, assumptions: ReviewAssumptions())
    }

    private var scan: QueryPlan {
        var node = PlanNode(
            type: "Seq Scan", rows: 1, cost: 5_000, relation: RelationName(schema: "public", name: "posts"))
        node.filter = "(posts.title = $1)"
        return QueryPlan(root: node)
    }

    @Test("a finding has its rule, level, place and a fingerprint that outlives moved lines")
    func finding() throws {
        let text = "\n-- name: x\n  /* calls_per_second=5 mean_ms=1 */ SELECT 1"
        let document = Sarif.document(try review(text, plan: scan), toolVersion: "1.2")
        #expect(document["version"] == "2.1.0")
        let run = try #require(document["runs"]?.array?.first)
        let results = try #require(run["results"]?.array)
        let result = try #require(results.first { $0["ruleId"] == "sequential-scan" })
        #expect(result["level"] == "error")
        #expect(result["partialFingerprints"] == ["mainstayFinding/v1": "x/sequential-scan/posts"])
        #expect(result["suppressions"] == nil)
        let place = result["locations"]?.array?.first?["physicalLocation"]
        #expect(place?["artifactLocation"] == ["uri": "db/q.sql"])
        #expect(place?["region"] == ["startLine": 3, "startColumn": 38])
        #expect(run["artifacts"] == [["location": ["uri": "db/q.sql"]]])
        let index = try #require(result["ruleIndex"]?.integer)
        let rules = try #require(run["tool"]?["driver"]?["rules"]?.array)
        #expect(rules[Int(index)]["id"] == "sequential-scan")
        #expect(rules[Int(index)]["name"] == "SequentialScan")
        #expect(Set(rules.compactMap { $0["id"]?.string }).count == ReviewRule.allCases.count)
        #expect(run["properties"]?["verdict"] == "block")
    }

    @Test("an allowed finding is suppressed in the source, with its reason")
    func suppressed() throws {
        let text = "-- mainstay:allow sequential-scan it is \"rare\"\nSELECT 1"
        let document = Sarif.document(try review(text, plan: scan), toolVersion: "1.2")
        let results = document["runs"]?.array?.first?["results"]?.array ?? []
        let result = try #require(results.first { $0["ruleId"] == "sequential-scan" })
        #expect(result["suppressions"] == [["kind": "inSource", "justification": "it is \"rare\""]])
        #expect(result["level"] == "warning")
    }

    @Test(
        "paths become URIs",
        arguments: [
            ("a/b.sql", "a/b.sql"), ("./a b.sql", "a%20b.sql"), ("/x/ä.sql", "file:///x/%C3%A4.sql"), ("-", "stdin"),
            ("a:b%.sql", "a%3Ab%25.sql"), ("../x.sql", "../x.sql"),
        ])
    func uris(path: String, uri: String) { #expect(Sarif.uri(path) == uri) }
}
