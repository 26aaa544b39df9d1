import Decide
import Explain
import Record
import Testing

@Suite("Queries and what a change did to them")
struct QueryViewTests {
    private func withScene(_ body: (Scene) async throws -> Void) async throws {
        let scene = try await Scene(until: .calm)
        try await body(scene)
        try await scene.close()
    }

    @Test("without names, a change's time divides before from after")
    func byTime() async throws {
        try await withScene { scene async throws in
            try await Traffic.usual(scene)
            let change = Traffic.change("two", at: scene.now)
            #expect(try await scene.record.note(change: change))
            try await Traffic.broken(scene)
            let view = try #require(try await QueryDiffView.load(change: "two", scene.record, now: scene.now))
            #expect(view.basis == .change(change))
            #expect(view.diff.findings.map(\.kind) == [.zeroRowWrites, .slower])
            #expect(view.diff.findings[0].before?.calls == 48 * 50)
            #expect(view.before.end == change.at)
            #expect(view.before.covered == .hours(8))
            #expect(view.afterwards.span == .minutes(2))
            #expect(view.endedBy == nil)
            #expect(view.diff.notes.count == 1)
        }
    }

    @Test("a release that clients name is held against all others, also while both run")
    func byName() async throws {
        try await withScene { scene async throws in
            try await Traffic.usual(scene, release: "shop@v1")
            scene.wait(.minutes(1))
            try await scene.record.sample(queries: [Traffic.sample(Traffic.insert, 50, release: "shop@v1")])
            try await Traffic.broken(scene, release: "shop@v2")
            let view = try #require(try await QueryDiffView.load(release: "shop@v2", scene.record, now: scene.now))
            #expect(view.basis == .named(["shop@v2"]))
            #expect(view.diff.findings.map(\.kind) == [.zeroRowWrites, .slower])
            #expect(view.diff.findings[0].after?.calls == 20)
            #expect(try await QueryDiffView.load(release: "shop@v3", scene.record, now: scene.now) == nil)
        }
    }

    @Test("what a release no longer calls has vanished, though its predecessor still runs; another program's has not")
    func predecessors() async throws {
        try await withScene { scene async throws in
            let job = QueryKey(fingerprint: 0xC3)
            for _ in 0..<18 {
                try await scene.record.sample(queries: [
                    Traffic.sample(Traffic.select, 1_000, release: "v1"),
                    Traffic.sample(Traffic.insert, 100, release: "v1"), Traffic.sample(job, 5_000, release: "worker-7"),
                ])
                scene.wait(.minutes(10))
            }
            scene.wait(.minutes(1))
            try await scene.record.sample(queries: [
                Traffic.sample(Traffic.select, 900, release: "v1"), Traffic.sample(Traffic.insert, 90, release: "v1"),
                Traffic.sample(job, 500, release: "worker-7"), Traffic.sample(Traffic.select, 200, release: "v2"),
            ])
            scene.wait(.minutes(3))
            let view = try #require(try await QueryDiffView.load(release: "v2", scene.record, now: scene.now))
            #expect(view.diff.findings.map(\.kind) == [.vanished])
            #expect(view.diff.findings.first?.query == Traffic.insert)
            #expect(view.diff.gaps.isEmpty)
            let worker = try #require(try await QueryDiffView.load(release: "worker-7", scene.record, now: scene.now))
            #expect(worker.diff.verdict == .tooLittle)
        }
    }

    @Test("programs whose releases have one name are told apart, and asked for together by that name alone")
    func programs() async throws {
        try await withScene { scene async throws in
            for _ in 0..<18 {
                try await scene.record.sample(queries: [
                    Traffic.sample(Traffic.select, 1_000, release: "shop@v1"),
                    Traffic.sample(Traffic.insert, 1_000, release: "jobs@v1"),
                ])
                scene.wait(.minutes(10))
            }
            scene.wait(.minutes(1))
            try await scene.record.sample(queries: [
                Traffic.sample(Traffic.select, 200, release: "shop@v2"),
                Traffic.sample(Traffic.insert, 20, release: "shop@v2", empty: 20),
                Traffic.sample(Traffic.insert, 200, release: "jobs@v2"),
            ])
            scene.wait(.minutes(1))
            func view(_ release: String) async throws -> QueryDiffView {
                try #require(try await QueryDiffView.load(release: release, scene.record, now: scene.now))
            }
            // The jobs changed rows by that query; for the shop it is only new.
            #expect(try await view("shop@v2").diff.findings.map(\.kind) == [.new])
            #expect(try await view("jobs@v2").diff.verdict == .noDifference)
            let both = try await view("v2")
            #expect(both.basis == .named(["v2", "jobs@v2", "shop@v2"]))
            #expect(both.afterwards.samples.reduce(0) { $0 + $1.figures.calls } == 420)
            #expect(try await QueryDiffView.load(release: "2", scene.record, now: scene.now) == nil)
            let traffic = try await QueryTrafficView.load(
                since: scene.now - .hours(1), release: "v2", scene.record, now: scene.now)
            #expect(traffic.lines.map(\.figures.calls).sorted() == [200, 220])
        }
    }

    @Test("what the program's last release did is missing, however little of the new one it did")
    func rewritten() async throws {
        try await withScene { scene async throws in
            for _ in 0..<18 {
                try await scene.record.sample(queries: [
                    Traffic.sample(Traffic.select, 1_000, release: "shop@v1"),
                    Traffic.sample(Traffic.insert, 1_000, release: "shop@v1"),
                    Traffic.sample(QueryKey(fingerprint: 0xC3), 1_000, release: "jobs@v1"),
                ])
                scene.wait(.minutes(10))
            }
            scene.wait(.minutes(1))
            try await scene.record.sample(
                queries: [
                    Traffic.sample(Traffic.select, 900, release: "shop@v2"),
                    Traffic.sample(QueryKey(fingerprint: 0xD4), 5, release: "shop@v2"),
                    Traffic.sample(QueryKey(fingerprint: 0xD5), 5, release: "shop@v2"),
                ])
            scene.wait(.minutes(3))
            let view = try #require(try await QueryDiffView.load(release: "shop@v2", scene.record, now: scene.now))
            let missing = view.diff.findings.filter { $0.kind == .vanished }
            #expect(missing.map(\.query) == [Traffic.insert])
        }
    }

    @Test("Mainstay's own release is found by the commit that clients name after their program's name")
    func byCommitOfProgram() async throws {
        try await withScene { scene async throws in
            try await Traffic.usual(scene, release: "web@00000001")
            try await Traffic.broken(scene, release: "web@4f2a9c1")
            let view = try #require(try await QueryDiffView.load(release: Scene.release, scene.record, now: scene.now))
            #expect(view.diff.findings.map(\.kind) == [.zeroRowWrites, .slower])
            #expect(view.title.hasPrefix("favorites v2"))
            if case .named(let names) = view.basis { #expect(names.last == "web@4f2a9c1") } else { Issue.record() }
        }
    }

    @Test("a release that another system told of is found by its change, where no client names it")
    func external() async throws {
        try await withScene { scene async throws in
            try await Traffic.usual(scene)
            #expect(try await scene.record.note(change: Traffic.change("two", at: scene.now, release: "2.1.0")))
            try await Traffic.broken(scene)
            let view = try #require(try await QueryDiffView.load(release: "2.1.0", scene.record, now: scene.now))
            #expect(view.title == "favorites two")
            #expect(view.diff.findings.map(\.kind) == [.zeroRowWrites, .slower])
        }
    }

    @Test("Mainstay's own release is found by the commit that clients name")
    func byCommit() async throws {
        try await withScene { scene async throws in
            try await Traffic.usual(scene)
            try await Traffic.broken(scene, release: "4f2a9c1e77b0")
            let view = try #require(try await QueryDiffView.load(release: Scene.release, scene.record, now: scene.now))
            #expect(view.diff.verdict == .different)
            #expect(view.title.hasPrefix("favorites v2"))
        }
    }

    @Test("a release whose change is not in the ledger yet, and that no client names, is not known")
    func unknown() async throws {
        try await withScene { scene async throws in
            #expect(try await QueryDiffView.load(release: Scene.release, scene.record, now: scene.now) == nil)
            #expect(try await QueryDiffView.load(change: "none", scene.record, now: scene.now) == nil)
        }
    }

    @Test("right after a change there is too little to say anything")
    func tooLittle() async throws {
        try await withScene { scene async throws in
            try await Traffic.usual(scene)
            #expect(try await scene.record.note(change: Traffic.change("two", at: scene.now)))
            let view = try #require(try await QueryDiffView.load(change: "two", scene.record, now: scene.now))
            #expect(view.diff.verdict == .tooLittle)
            #expect(view.diff.gaps == ["shop: no query was counted since, so nothing can be said."])
        }
    }

    @Test("the time after ends with the next release, which is told")
    func next() async throws {
        try await withScene { scene async throws in
            try await Traffic.usual(scene)
            #expect(try await scene.record.note(change: Traffic.change("two", at: scene.now)))
            scene.wait(.minutes(30))
            #expect(try await scene.record.note(change: Traffic.change("other", at: scene.now, kind: .external)))
            #expect(try await scene.record.note(change: Traffic.change("three", at: scene.now)))
            try await Traffic.broken(scene)
            let view = try #require(try await QueryDiffView.load(change: "two", scene.record, now: scene.now))
            #expect(view.diff.verdict == .tooLittle)
            #expect(view.endedBy == "the next change came: favorites three")
            let last = try #require(try await QueryDiffView.load(change: "three", scene.record, now: scene.now))
            #expect(last.diff.findings.first?.kind == .zeroRowWrites)
        }
    }

    @Test("of another database nothing is told")
    func database() async throws {
        try await withScene { scene async throws in
            try await Traffic.usual(scene)
            #expect(try await scene.record.note(change: Traffic.change("two", at: scene.now)))
            try await Traffic.broken(scene)
            let view = try #require(
                try await QueryDiffView.load(change: "two", database: "stock", scene.record, now: scene.now))
            #expect(view.diff.verdict == .tooLittle)
            #expect(view.diff.findings.isEmpty)
        }
    }

    @Test("the most expensive query comes first, with each release's part")
    func traffic() async throws {
        try await withScene { scene async throws in
            try await scene.record.sample(queries: [
                Traffic.sample(Traffic.insert, 10, release: "v1", took: 100_000),
                Traffic.sample(Traffic.insert, 20, release: "v2", took: 100_000),
                Traffic.sample(Traffic.select, 1_000), Traffic.sample(Traffic.select, 5, database: "stock"),
            ])
            let all = try await QueryTrafficView.load(since: scene.now - .hours(1), scene.record, now: scene.now)
            try #require(all.lines.map(\.query) == [Traffic.insert, Traffic.select, Traffic.select])
            #expect(all.lines[0].releases.map(\.release) == ["v2", "v1"])
            #expect(all.lines[0].figures.calls == 30)
            #expect(all.lines.map(\.share) == [0.75, 0.25, 1])
            #expect(all.databases == ["shop", "stock"])
            #expect(all.releases.map(\.name) == ["v1", "v2"])
            let some = try await QueryTrafficView.load(
                since: scene.now - .hours(1), database: "shop", release: "v1", limit: 1, scene.record, now: scene.now)
            #expect(some.lines.map(\.figures.calls) == [10])
            #expect(some.databases == ["shop", "stock"])
        }
    }

    @Test("one query's past, by hour and by release")
    func history() async throws {
        try await withScene { scene async throws in
            try await scene.record.sample(queries: [Traffic.sample(Traffic.insert, 1, release: "v1")])
            scene.wait(.hours(1))
            try await scene.record.sample(queries: [Traffic.sample(Traffic.insert, 2, release: "v2")])
            let view = try #require(try await QueryHistoryView.load(Traffic.insert, scene.record, now: scene.now))
            #expect(view.hours.map(\.figures.calls) == [2, 1])
            #expect(view.releases.map(\.release) == ["v2", "v1"])
            #expect(view.databases == ["shop"])
            #expect(try await QueryHistoryView.load(Traffic.select, scene.record, now: scene.now) == nil)
        }
    }
}
