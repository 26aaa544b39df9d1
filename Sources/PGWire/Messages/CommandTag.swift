import NIOCore

/// The commands whose tags matter to a proxy.
package enum CommandTag: UInt8, Sendable {
    case select, insert, update, delete, merge, copy, commit, rollback, deallocateAll, discardAll, other

    /// Of commands that say how many rows they touched.
    package var countsRows: Bool {
        switch self {
        case .select, .insert, .update, .delete, .merge, .copy: true
        default: false
        }
    }

    package var isWrite: Bool {
        switch self {
        case .insert, .update, .delete, .merge: true
        default: false
        }
    }

    /// Reads the payload of a CommandComplete: the command and its rows, as in `INSERT 0 1` or `SELECT 5`.
    static func read(_ buffer: ByteBuffer, at index: Int, count: Int) -> (CommandTag, rows: Int) {
        guard count > 1 else { return (.other, 0) }
        return buffer.withUnsafeBytes(at: index, count: count - 1) { text in
            let tag = Self.tag(text)
            guard tag.countsRows else { return (tag, 0) }
            var rows = 0
            var factor = 1
            var at = text.count - 1
            while at >= 0, case let digit = text[at], digit >= 0x30, digit <= 0x39, factor <= 1_000_000_000_000 {
                rows += Int(digit - 0x30) * factor
                factor *= 10
                at -= 1
            }
            return (tag, rows)
        }
    }

    private static func tag(_ text: UnsafeRawBufferPointer) -> CommandTag {
        switch text[0] {
        case UInt8(ascii: "S"): return begins(text, "SELECT ") ? .select : .other
        case UInt8(ascii: "I"): return begins(text, "INSERT ") ? .insert : .other
        case UInt8(ascii: "U"): return begins(text, "UPDATE ") ? .update : .other
        case UInt8(ascii: "M"): return begins(text, "MERGE ") ? .merge : .other
        case UInt8(ascii: "C"): return begins(text, "COPY ") ? .copy : begins(text, "COMMIT") ? .commit : .other
        case UInt8(ascii: "R"): return begins(text, "ROLLBACK") ? .rollback : .other
        case UInt8(ascii: "D"):
            if begins(text, "DELETE ") { return .delete }
            if begins(text, "DEALLOCATE ALL") { return .deallocateAll }
            return begins(text, "DISCARD ALL") ? .discardAll : .other
        default: return .other
        }
    }

    private static func begins(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        word.withUTF8Buffer { word in
            text.count >= word.count && word.indices.allSatisfy { text[$0] == word[$0] }
        }
    }
}
