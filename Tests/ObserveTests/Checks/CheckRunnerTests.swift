import Decide
import Foundation
import Observe
import Synchronization
import Testing

@Suite("Running checks", .timeLimit(.minutes(1)))
struct CheckRunnerTests {
    @Test("an HTTP check passes on 2xx and on what it expects")
    func http() async throws {
        try await Bench.with { bench in
            #expect(await bench.runner.run(bench.http("/ok")).failure == nil)
            let expect = try Bench.expect("status", 500)
            #expect(await bench.runner.run(bench.http("/broken", expect: expect)).passed)
            let broken = await bench.runner.run(bench.http("/broken"))
            #expect(
                broken.failure
                    == CheckFailure(kind: .assertion, step: nil, message: "status is 500, expected 200 to 299"))
            #expect(broken.check == "shop/check" && broken.startedAt == Bench.now)
        }
    }

    @Test("redirects are answers, and followed only when asked, with cookies, never for ever")
    func redirects() async throws {
        try await Bench.with { bench in
            #expect(await bench.runner.run(bench.http("/old")).failure?.message == "status is 302, expected 200 to 299")
            #expect(await bench.runner.run(bench.http("/old", redirects: 1)).passed)
            #expect(bench.shop.headers(of: "/ok").last?["cookie"] == "hop=1")
            #expect(
                await bench.runner.run(bench.http("/loop", redirects: 5)).failure?.message.hasPrefix("status is 302")
                    == true)
        }
    }

    @Test("a body past the limit is a failure")
    func oversized() async throws {
        try await Bench.with { bench in
            let failure = await bench.runner.run(bench.http("/large")).failure
            #expect(failure?.message == "the answer is larger than 1024 KiB")
            #expect(failure?.kind == .assertion)
        }
    }

    @Test("no answer in time is a timeout; nobody there is unreachable")
    func timeouts() async throws {
        try await Bench.with { bench in
            let silent = try await SilentServer()
            let url = "http://127.0.0.1:\(silent.port)/"
            let hanging = bench.check(.http(HTTPCheck(url: url)), timeout: .milliseconds(200))
            let result = await bench.runner.run(hanging)
            #expect(result.failure?.kind == .timeout)
            #expect(result.failure?.message.hasPrefix("no answer within") == true)
            #expect(result.took >= .milliseconds(190))
            try await silent.close()
            let gone = await bench.runner.run(bench.check(.http(HTTPCheck(url: url))))
            #expect(gone.failure?.kind == .unreachable)
            #expect(gone.failure?.message.contains("connection refused") == true, "\(gone)")
        }
    }

    @Test("a TCP check passes when the connection opens")
    func tcp() async throws {
        try await Bench.with { bench in
            let silent = try await SilentServer()
            let check = bench.check(.tcp(TCPCheck(host: "127.0.0.1", port: silent.port)))
            #expect(await bench.runner.run(check).failure == nil)
            try await silent.close()
            let gone = await bench.runner.run(check)
            #expect(gone.failure?.kind == .unreachable)
            #expect(gone.failure?.message.contains("connection refused") == true, "\(gone)")
        }
    }

    @Test("a SQLite check asks the file, and fails without one")
    func sqlite() async throws {
        try await Bench.with { bench in
            #expect(await bench.runner.run(bench.check(.sqlite(location: bench.shop.path))).failure == nil)
            let missing = await bench.runner.run(bench.check(.sqlite(location: bench.shop.path + ".missing")))
            #expect(missing.failure?.kind == .unreachable, "\(missing)")
        }
    }

    @Test("a PostgreSQL check never shows its password")
    func postgres() async throws {
        try await Bench.with { bench in
            let silent = try await SilentServer()
            let location = "postgres://me:hunter22@127.0.0.1:\(silent.port)/db"
            let result = await bench.runner.run(bench.check(.postgres(location: location), timeout: .milliseconds(300)))
            try await silent.close()
            #expect(result.failure?.kind == .timeout || result.failure?.kind == .unreachable)
            #expect(!"\(result)".contains("hunter22"))
        }
    }

    @Test(
        "a real PostgreSQL answers",
        .enabled(if: ProcessInfo.processInfo.environment["MAINSTAY_TEST_POSTGRES"] != nil))
    func realPostgres() async throws {
        let location = try #require(ProcessInfo.processInfo.environment["MAINSTAY_TEST_POSTGRES"])
        try await Bench.with { bench in
            #expect(await bench.runner.run(bench.check(.postgres(location: location))).failure == nil)
        }
    }

    @Test("every request carries the synthetic user's signed mark with the forced variants")
    func mark() async throws {
        try await Bench.with { bench in
            let result = await bench.runner.run(bench.http("/ok"), forcing: ["favorites": "v2"])
            #expect(result.passed && result.forced == ["favorites": "v2"])
            let value = try #require(bench.shop.headers(of: "/ok").last?["mainstay-synthetic"])
            // HMAC-SHA256 of the text before ";sig=" under "a shared secret", made with openssl.
            let expires = Bench.now + .seconds(40)
            #expect(value.hasPrefix("v1;user=synthetic;exp=\(expires.milliseconds);force=favorites=v2;sig="))
            #expect(value.hasSuffix(";sig=6933576146c71e6578d312d9ccd32793c218c0c48eb67bab8f78e105a8ae5ea7"))
        }
    }

    @Test("without a secret requests are not marked, and forcing is refused")
    func unmarked() async throws {
        try await Bench.with(secret: nil) { bench in
            #expect(await bench.runner.run(bench.http("/ok")).passed)
            #expect(bench.shop.headers(of: "/ok").last?["mainstay-synthetic"] == nil)
            let forced = await bench.runner.run(bench.http("/ok"), forcing: ["favorites": "v2"])
            #expect(forced.failure?.kind == .definition)
        }
    }

    @Test("the mark goes to the service's own origin only")
    func foreignOrigin() async throws {
        try await Bench.with { bench in
            let elsewhere = bench.baseURL.replacingOccurrences(of: "127.0.0.1", with: "localhost")
            let step = JourneyStep("elsewhere", try Bench.request(.get, elsewhere + "/ok"))
            let result = await bench.runner.run(try bench.favorites(steps: [step], always: []))
            // On a machine where localhost is IPv6 only there is no answer, and nothing to see either.
            #expect(result.passed || result.failure?.kind == .unreachable)
            #expect(bench.shop.headers(of: "/ok").allSatisfy { $0["mainstay-synthetic"] == nil })
        }
    }

    @Test("a wrong definition is told before the service is touched")
    func definition() async throws {
        try await Bench.with { bench in
            let step = JourneyStep("read", try Bench.request(.get, "/ok/{{nope}}"))
            let result = await bench.runner.run(try bench.favorites(steps: [step]))
            #expect(result.failure?.kind == .definition)
            #expect(result.failure?.message == "read: uses {{nope}}, which nothing sets")
            #expect(bench.shop.seen.withLock { $0.isEmpty })
        }
    }
}
