import Decide
import Explain
import Record
import Testing

@Suite("Postmortem")
struct PostmortemTests {
    @Test("tells the whole incident, with figures from the record")
    func whole() async throws {
        let scene = try await Scene()
        let text = try await Postmortem.markdown(
            for: Scene.incident, scene.record, now: scene.now, base: "https://mainstay.example.test")
        let sections = text.split(separator: "\n").filter { $0.hasPrefix("## ") }.map { String($0.dropFirst(3)) }
        #expect(
            sections == [
                "Incident", "Summary", "Impact", "Key times", "Root cause", "Why the gate did not stop it", "Detection",
                "Response", "Timeline", "What went well", "What to improve", "Action items",
            ])
        #expect(text.contains("| Users exposed | 7 |"))
        #expect(text.contains("| Share of active users | 2.33 % |"))
        #expect(text.contains("| First served to a user | 2026-11-22T10:01:00.300Z | +0 ms |"))
        #expect(text.contains("| Detected | 2026-11-22T10:01:04.200Z | +3.9 s |"))
        #expect(text.contains("| Page delivered | 2026-11-22T10:01:04.800Z | +4.5 s |"))
        #expect(text.contains("| Undone | 2026-11-22T10:01:05.500Z | +5.2 s |"))
        #expect(text.contains("**Proven by experiment:** favorites v2 to 5 % of users."))
        #expect(text.contains("The launch is today."))
        #expect(text.contains("lin forced the release"))
        try await scene.close()
    }

    @Test("links every line of the timeline to its event")
    func links() async throws {
        let scene = try await Scene()
        let text = try await Postmortem.markdown(
            for: Scene.incident, scene.record, now: scene.now, base: "https://mainstay.example.test")
        let lines = text.components(from: "## Timeline", to: "## ").filter { $0.hasPrefix("- ") }
        #expect(lines.count > 10)
        for line in lines { #expect(line.contains("](https://mainstay.example.test/timeline/")) }
        try await scene.close()
    }

    @Test("shows what customers wrote as plain text")
    func escapes() async throws {
        let scene = try await Scene()
        let text = try await Postmortem.markdown(for: Scene.incident, scene.record, now: scene.now)
        #expect(!text.contains("<script>"))
        #expect(!text.contains("**nothing**"))
        #expect(!text.contains("[link]("))
        #expect(text.contains("Told support: &lt;b&gt;fixed&lt;/b&gt;."))
        try await scene.close()
    }

    @Test("says what is not known, and what has not ended")
    func unknown() async throws {
        let scene = try await Scene(until: .open)
        let text = try await Postmortem.markdown(for: Scene.incident, scene.record, now: scene.now)
        #expect(text.contains("| Undone | not yet | – |"))
        #expect(text.contains("It has not ended yet."))
        #expect(text.contains("**Not proven.**"))
        #expect(text.contains("| Time served | not known |"))
        try await scene.close()
    }

    @Test("learns from what was and was not there")
    func lessons() async throws {
        let scene = try await Scene()
        let view = try #require(try await IncidentView.load(Scene.incident, scene.record, now: scene.now))
        let lessons = Lessons(view, scene.record.policy)
        #expect(
            lessons.well.contains(
                "A machine noticed it before any customer reported it, 3.9 s after first served to a user."))
        #expect(lessons.well.contains("The change was undone by itself 5.2 s after first served to a user."))
        #expect(lessons.well.contains("The undo was verified by the journey that had failed."))
        #expect(
            lessons.improvements.map(\.finding) == [
                "The release had no test of favorites.", "The release was forced past the gate by lin.",
            ])
        try await scene.close()
    }

    @Test("refuses an incident that there is not")
    func missing() async throws {
        let scene = try await Scene(until: .calm)
        await #expect(throws: Refusal.self) {
            _ = try await Postmortem.markdown(for: "storefront-none-1", scene.record, now: scene.now)
        }
        try await scene.close()
    }
}

extension String {
    /// Lines between the first line that is `start` and the next that begins with `end`.
    func components(from start: String, to end: String) -> [String] {
        let lines = split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let first = lines.firstIndex(of: start) else { return [] }
        return Array(lines[(first + 1)...].prefix { !$0.hasPrefix(end) })
    }
}
