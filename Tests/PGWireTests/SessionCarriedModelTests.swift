import NIOCore
import Testing

@testable import PGWire

/// Whatever a client sends: at rest its session has what is believed, or the client is pinned.
@Suite("Session: carried settings against a model of the server")
struct SessionCarriedModelTests {
    @Test("random programs", arguments: 0..<8)
    func agrees(_ block: Int) throws {
        var (carried, pinned) = (0, 0)
        for seed in (block * 250)..<(block * 250 + 250) {
            var chance = QueriesChance(seed: UInt64(seed))
            let scene = SessionScene()
            var model = SettingsModel()
            var program: [String] = []
            for _ in 0..<12 where !scene.client.taint.contains(.settings) {
                let batch = Self.batch(&chance)
                program.append("\(batch)")
                _ = try scene.forward(Self.bytes(batch))
                _ = try scene.read(model.answer(batch))
                guard try #require(scene.server).isAtRest else { continue }
                let known = scene.carried
                if known == "pinned" { pinned += 1 } else { carried += 1 }
                guard known != "pinned", known != model.known else { continue }
                Issue.record(
                    "seed \(seed): \(known) is believed, and \(model.known) is true\n\(program.joined(separator: "\n"))"
                )
                return
            }
        }
        #expect(carried > 200 && pinned > 50, "\(carried) \(pinned)")
    }

    /// Texts that go out together: one simple query of several statements, several of them, or several by Execute with
    /// one Sync.
    enum Batch: CustomStringConvertible {
        case simple([[String]])
        case extended([String])

        var description: String {
            switch self {
            case .simple(let texts): "simple \(texts)"
            case .extended(let texts): "extended \(texts)"
            }
        }
    }

    private static func batch(_ chance: inout QueriesChance) -> Batch {
        switch chance.below(8) {
        case 0...3: return .simple([[statement(&chance)]])
        case 4: return .simple([(0..<2 + chance.below(2)).map { _ in statement(&chance) }])
        case 5: return .simple((0..<2).map { _ in [statement(&chance)] })
        default: return .extended((0..<1 + chance.below(3)).map { _ in statement(&chance) })
        }
    }

    private static func statement(_ chance: inout QueriesChance) -> String {
        let name = chance.pick(["a", "b"])
        switch chance.below(20) {
        case 0...5: return "SET \(name) = \(chance.below(3))"
        case 6: return "RESET \(name)"
        case 7: return "RESET ALL"
        case 8: return chance.pick(["SET LOCAL \(name) = 7", "DISCARD ALL", "CALL commits()"])
        case 9: return "SELECT 1/0"
        case 10...12: return "BEGIN"
        case 13...15: return "COMMIT"
        case 16: return "ROLLBACK"
        case 17: return chance.pick(["SAVEPOINT s", "ROLLBACK TO s", "RELEASE s", "COMMIT AND CHAIN"])
        default: return "SELECT 1"
        }
    }

    private static func bytes(_ batch: Batch) -> [UInt8] {
        switch batch {
        case .simple(let texts): texts.flatMap { Frame.query($0.joined(separator: "; ")) }
        case .extended(let texts):
            texts.flatMap { Frame.parse("", $0) + Frame.bind("") + Frame.execute() } + Frame.sync
        }
    }
}

/// What PostgreSQL does with settings and transactions.
private struct SettingsModel {
    private struct Values {
        var session: [String: String] = [:]
        var local: [String: String] = [:]
    }

    private enum Block {
        case none
        /// Of one text or batch.
        case implicit
        case open, failed
    }

    private struct Failure: Error {}

    private var values = Values()
    private var start = Values()
    private var savepoint: Values?
    private var block = Block.none

    var known: String {
        let all = values.session.sorted { $0.key < $1.key }.map { "SET \"\($0.key)\" TO '\($0.value)'" }
        return all.isEmpty ? "none" : all.joined(separator: "; ")
    }

    mutating func answer(_ batch: SessionCarriedModelTests.Batch) -> [UInt8] {
        switch batch {
        case .simple(let texts):
            return texts.flatMap { text in
                let answered = answer(text, isSimple: true)
                return answered + ready
            }
        case .extended(let texts): return answer(texts, isSimple: false) + ready
        }
    }

    private var ready: [UInt8] {
        switch block {
        case .none, .implicit: Frame.idle
        case .open: Frame.open
        case .failed: Frame.failed
        }
    }

    private mutating func answer(_ texts: [String], isSimple: Bool) -> [UInt8] {
        var out: [UInt8] = []
        for text in texts {
            if !isSimple { out += Frame.parsed + Frame.bound }
            if block == .none { (start, block) = (values, .implicit) }
            do throws(Failure) {
                let tag = try run(text, isAlone: texts.count == 1)
                if isSimple, tag.hasPrefix("SELECT") { out += Frame.columns }
                out += Frame.done(tag)
            } catch {
                // A parser refuses before it binds; it is the same to those who listen.
                out += Frame.error("22012")
                fail()
                return out
            }
        }
        if block == .implicit { commit() }
        return out
    }

    private mutating func fail() {
        if block == .implicit { revert() } else { block = .failed }
    }

    private mutating func commit() {
        values.local = [:]
        (block, savepoint) = (.none, nil)
    }

    private mutating func revert() {
        values = start
        values.local = [:]
        (block, savepoint) = (.none, nil)
    }

    private mutating func run(_ text: String, isAlone: Bool) throws(Failure) -> String {
        let words = text.split(separator: " ").map(String.init)
        if block == .failed, !["COMMIT", "ROLLBACK"].contains(words[0]) { throw Failure() }
        switch words[0] {
        case "SET" where words[1] == "LOCAL":
            if block == .open { values.local[words[2]] = words[4] }
        case "SET": (values.session[words[1]], values.local[words[1]]) = (words[3], nil)
        case "RESET" where words[1] == "ALL": values = Values()
        case "RESET": (values.session[words[1]], values.local[words[1]]) = (nil, nil)
        case "DISCARD":
            guard block == .implicit, isAlone else { throw Failure() }
            values = Values()
            commit()
            return text
        case "CALL":
            // It commits what came before it, outside of a transaction.
            guard block == .implicit else { throw Failure() }
            commit()
        case "SELECT" where text == "SELECT 1/0": throw Failure()
        default: return try control(text, words)
        }
        return words[0] == "SELECT" ? "SELECT 1" : words[0]
    }

    private mutating func control(_ text: String, _ words: [String]) throws(Failure) -> String {
        switch text {
        case "BEGIN": block = .open
        case "COMMIT", "COMMIT AND CHAIN":
            guard text == "COMMIT" || block != .implicit else { throw Failure() }
            let hasFailed = block == .failed
            if hasFailed { revert() } else { commit() }
            if text != "COMMIT" { (start, block) = (values, .open) }
            return hasFailed ? "ROLLBACK" : "COMMIT"
        case "ROLLBACK": revert()
        case "SAVEPOINT s", "RELEASE s":
            guard block == .open, text == "SAVEPOINT s" || savepoint != nil else { throw Failure() }
            savepoint = text == "SAVEPOINT s" ? values : nil
        case "ROLLBACK TO s":
            guard block != .implicit, let saved = savepoint else { throw Failure() }
            (values, block) = (saved, .open)
        default: return text == "SELECT 1" ? "SELECT 1" : words[0]
        }
        return words[0]
    }
}
