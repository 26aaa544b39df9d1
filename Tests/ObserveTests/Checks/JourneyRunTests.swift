import Decide
import Observe
import Synchronization
import Testing

@Suite("Running journeys", .timeLimit(.minutes(1)))
struct JourneyRunTests {
    @Test("the favorites journey passes on a healthy shop and leaves nothing behind")
    func healthy() async throws {
        try await Bench.with { bench in
            let result = await bench.runner.run(try bench.favorites())
            #expect(result.failure == nil)
            #expect(
                result.steps.map(\.name) == [
                    "sign in", "press the button", "the list shows it", "the row is in the database", "take it back",
                ])
            #expect(result.steps[1].did.hasPrefix("PUT /favorites/") && result.steps[1].did.hasSuffix(" → 201"))
            #expect(result.steps[3].did.hasSuffix("→ 1 row"))
            #expect(try await bench.shop.rows() == 0)
            #expect(bench.shop.seen.withLock { $0.allSatisfy { $0.headers["mainstay-synthetic"] != nil } })
        }
    }

    @Test("a button that answers 201 and stores nothing is caught")
    func faulty() async throws {
        var options = CheckRunner.Options()
        options.firstPause = .milliseconds(1)
        try await Bench.with(options: options) { bench in
            bench.shop.isFaulty.withLock { $0 = true }
            var steps = try Bench.proof()
            steps[2].eventually = .milliseconds(1_500)
            let result = await bench.runner.run(try bench.favorites(steps: steps))
            #expect(result.failure?.kind == .assertion && result.failure?.step == "the list shows it")
            #expect(result.failure?.message.hasPrefix("$.items[*].product has no values, expected to contain ") == true)
            #expect(result.failure?.message.contains("(still after ") == true)
            let list = try #require(result.steps.first { $0.name == "the list shows it" })
            #expect(list.attempts > 1 && list.failure != nil)
            #expect(result.steps.last?.name == "take it back" && result.steps.last?.failure == nil)
        }
    }

    @Test("the database is asked, not only the service")
    func database() async throws {
        try await Bench.with { bench in
            bench.shop.isFaulty.withLock { $0 = true }
            var steps = try Bench.proof()
            steps.remove(at: 2)
            let result = await bench.runner.run(try bench.favorites(steps: steps))
            #expect(result.failure?.sentence == "the row is in the database: n is 0, expected 1")
        }
    }

    @Test("an eventual step is repeated until it passes")
    func eventually() async throws {
        try await Bench.with { bench in
            bench.shop.lag.withLock { $0 = 2 }
            let result = await bench.runner.run(try bench.favorites())
            #expect(result.failure == nil)
            #expect(result.steps[2].attempts == 3)
        }
    }

    @Test("clean-up runs after a timeout too, with a budget of its own")
    func cleanUpAfterTimeout() async throws {
        try await Bench.with { bench in
            let silent = try await SilentServer()
            var steps = try Bench.proof()
            let hanging = JourneyStep("hangs", try Bench.request(.get, "http://127.0.0.1:\(silent.port)/"))
            steps.replaceSubrange(2..., with: [hanging])
            let result = await bench.runner.run(try bench.favorites(steps: steps, timeout: .seconds(3)))
            try await silent.close()
            #expect(result.failure?.kind == .timeout && result.failure?.step == "hangs", "\(result)")
            #expect(result.steps.last?.name == "take it back" && result.steps.last?.failure == nil)
            #expect(try await bench.shop.rows() == 0)
        }
    }

    @Test("clean-up that fails is a failure of its own, unless there is another; all of it is tried")
    func failingCleanUp() async throws {
        try await Bench.with { bench in
            let always = [
                JourneyStep(
                    "first", try Bench.request(.delete, "/favorites/{{product}}"),
                    expect: try Bench.expect("status", 200)),
                JourneyStep("second", try Bench.request(.get, "/ok")),
            ]
            let unclean = await bench.runner.run(try bench.favorites(always: always))
            #expect(
                unclean.failure == CheckFailure(kind: .cleanUp, step: "first", message: "status is 204, expected 200"))
            #expect(unclean.steps.suffix(2).map(\.failure) == ["status is 204, expected 200", nil])
            let broken = JourneyStep("broken", try Bench.request(.get, "/broken"))
            let both = await bench.runner.run(try bench.favorites(steps: [broken], always: always))
            #expect(both.failure?.step == "broken" && both.failure?.kind == .assertion)
        }
    }

    @Test("steps after a failure do not run")
    func stops() async throws {
        try await Bench.with { bench in
            let steps = [
                JourneyStep("broken", try Bench.request(.get, "/broken")),
                JourneyStep("never", try Bench.request(.get, "/ok")),
            ]
            let result = await bench.runner.run(try bench.favorites(steps: steps, always: []))
            #expect(result.steps.map(\.name) == ["broken"])
            #expect(bench.shop.headers(of: "/ok").isEmpty)
        }
    }

    @Test(
        "wrong SQL is the journey's fault, a missing column too; no rows and NULL are failures",
        arguments: [
            ("SELEC 1", CheckFailure.Kind.definition, "only a reading statement"),
            ("SELECT 1 AS n FROM nowhere", .definition, "nowhere"),
            ("DELETE FROM favorites", .definition, "only a reading statement"),
            ("SELECT 1 AS m", .definition, "the result has no column 'n' (it has m)"),
            ("SELECT 1 AS n WHERE 1 = 0", .assertion, "n: there are no rows, expected 1"),
            ("SELECT NULL AS n", .assertion, "n is null, expected 1"),
            ("SELECT '1' AS n", .assertion, "it is a text, expected a number"),
        ])
    func sqlFaults(statement: String, kind: CheckFailure.Kind, message: String) async throws {
        try await Bench.with { bench in
            let expect = try Bench.expect("n", 1, isSQL: true)
            let step = JourneyStep("ask", .sql(statement, on: "database"), expect: expect)
            let result = await bench.runner.run(try bench.favorites(steps: [step], always: []))
            #expect(result.failure?.kind == kind && result.failure?.step == "ask")
            #expect(result.failure?.message.contains(message) == true, "\(result)")
        }
    }

    @Test("the account is never shown, not even when the service echoes it")
    func redaction() async throws {
        try await Bench.with { bench in
            let body = HTTPAction.Body.json(["email": "{{account.email}}", "password": "wrong {{account.email}}"])
            let step = JourneyStep(
                "sign in", .http(HTTPAction(.post, try Template(parsing: "/session?as={{account.email}}"), body: body)),
                expect: try Bench.expect("status", 401) + Bench.expect("$.email", "someone"))
            let result = await bench.runner.run(try bench.favorites(steps: [step], always: []))
            #expect(result.failure?.message == "$.email is \"•••\", expected \"someone\"")
            #expect(result.steps[0].did == "POST /session?as=••• → 401")
            #expect(!"\(result)".contains("example.test"))
        }
    }
}
