import Decide
import Testing

@Suite("Distinct users")
struct UserSketchTests {
    /// SplitMix64: well spread, repeatable.
    private func hash(_ number: UInt64) -> UInt64 {
        var mixed = number &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    @Test(
        "is exact for few and within five per cent for many",
        arguments: [0, 1, 300, 1_024, 1_025, 3_000, 10_000, 200_000])
    func counts(users: Int) {
        var sketch = UserSketch()
        for user in 0..<users { sketch.insert(hash(UInt64(user))) }
        for user in 0..<min(users, 500) { sketch.insert(hash(UInt64(user))) }
        if users <= UserSketch.exactLimit {
            #expect(sketch.count == users)
        } else {
            #expect(abs(Double(sketch.count - users)) / Double(users) < 0.05)
        }
    }

    @Test(
        "merging gives the count of the union, in any order",
        arguments: [(100, 100), (900, 900), (5_000, 10), (10, 5_000)])
    func merges(left: Int, right: Int) {
        var (first, second, union) = (UserSketch(), UserSketch(), UserSketch())
        for user in 0..<left { first.insert(hash(UInt64(user))) }
        for user in (left / 2)..<(left / 2 + right) { second.insert(hash(UInt64(user))) }
        for user in 0..<max(left, left / 2 + right) { union.insert(hash(UInt64(user))) }
        var (forward, backward) = (first, second)
        forward.merge(second)
        backward.merge(first)
        #expect(forward == backward)
        #expect(forward.count == union.count)
    }

    @Test("survives its bytes, and refuses others", arguments: [0, 7, 2_000])
    func bytes(users: Int) {
        var sketch = UserSketch()
        for user in 0..<users { sketch.insert(hash(UInt64(user))) }
        #expect(UserSketch(bytes: sketch.bytes) == sketch)
        #expect(UserSketch(bytes: sketch.bytes + [1]) == nil)
        #expect(UserSketch(bytes: []) == nil)
        #expect(UserSketch(bytes: [2]) == nil)
    }
}
