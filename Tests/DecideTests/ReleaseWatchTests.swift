import Decide
import Testing

@Suite("What a guard is told about releases")
struct ReleaseWatchTests {
    private static func change(_ number: Int64, undone: Bool = false, kind: Change.Kind = .release) -> Change {
        let at = Instant(milliseconds: number * 1_000)
        return Change(
            id: "c\(number)", kind: kind, service: "storefront", feature: nil, title: "", actor: .mainstay, reason: nil,
            at: at, release: kind == .release ? "r\(number)" : nil, undoneAt: undone ? at + .seconds(1) : nil)
    }

    @Test("the newest is announced, each once, and proven once")
    func announced() {
        var watch = ReleaseWatch()
        #expect(watch.look([], isUndone: false) == [])
        #expect(watch.proven() == [])
        #expect(watch.look([Self.change(1), Self.change(2)], isUndone: false) == [.started(release: "r2")])
        #expect(watch.look([Self.change(1), Self.change(2)], isUndone: false) == [])
        #expect(watch.unproven == "r2")
        #expect(watch.proven() == [.proven] && watch.proven() == [])
        let flag = Self.change(4, kind: .flag)
        #expect(watch.look([Self.change(2), Self.change(3), flag], isUndone: false) == [.started(release: "r3")])
        // Pushed out of the list by other changes: it runs on.
        #expect(watch.look([flag], isUndone: false) == [])
        #expect(watch.look([flag], isUndone: false) == [] && watch.unproven == "r3")
    }

    @Test("one that is told late, and is older than what runs, is not announced")
    func late() {
        var watch = ReleaseWatch()
        _ = watch.look([Self.change(2)], isUndone: false)
        #expect(watch.look([Self.change(1), Self.change(2)], isUndone: false) == [])
        #expect(watch.change == "c2")
        #expect(
            watch.look([Self.change(1), Self.change(2, undone: true)], isUndone: true) == [.started(release: "r1")])
    }

    @Test("an undone release gives way to the one before, which is not proven anew")
    func undone() {
        var watch = ReleaseWatch()
        _ = watch.look([Self.change(1)], isUndone: false)
        _ = watch.look([Self.change(1), Self.change(2)], isUndone: false)
        #expect(
            watch.look([Self.change(1), Self.change(2, undone: true)], isUndone: true) == [.started(release: "r1")])
        #expect(watch.unproven == nil && watch.proven() == [])
        #expect(watch.look([Self.change(1), Self.change(2, undone: true)], isUndone: false) == [])
    }

    @Test("without one before it, the release before has no name of its own")
    func first() {
        var watch = ReleaseWatch()
        _ = watch.look([Self.change(1)], isUndone: false)
        #expect(watch.look([Self.change(1, undone: true)], isUndone: true) == [.started(release: "before r1")])
        #expect(watch.look([Self.change(1, undone: true)], isUndone: false) == [] && watch.change == nil)
    }

    @Test("an undone release with a new one after it is followed by that")
    func replaced() {
        var watch = ReleaseWatch()
        _ = watch.look([Self.change(1)], isUndone: false)
        #expect(
            watch.look([Self.change(1, undone: true), Self.change(2)], isUndone: true) == [.started(release: "r2")])
        #expect(watch.unproven == "r2")
    }
}
