import CPGQuery

/// libpg_query's fingerprints.
///
/// Its parser keeps its own stack on the heap, but later steps recurse once a level on the thread's: 10 MB of `UNION
/// SELECT 1` overflow a stack of 8 MB. Block comments within block comments cost it quadratic time (3 s for 64 KB). The
/// limits here keep the deepest trees within 128 KB of stack and the time within a few milliseconds; comments are taken
/// out beforehand.
enum QueryParser {
    /// Larger texts are not parsed.
    static let textLimit = 16 << 10
    /// More deeply nested texts are not parsed.
    static let nestingLimit = 200

    /// The fingerprint of a text that ends in a zero byte; nil if the grammar of PostgreSQL 15 does not have it.
    static func fingerprint(_ text: UnsafePointer<CChar>) -> UInt64? {
        let result = pg_query_fingerprint(text)
        defer { pg_query_free_fingerprint_result(result) }
        return result.error == nil ? result.fingerprint : nil
    }

    /// The fingerprint of a query: its tokens go to the parser with a space between them, and no comments.
    /// - Parameter scratch: used for the copy.
    static func fingerprint(of text: UnsafeRawBufferPointer, scratch: inout [CChar]) -> UInt64? {
        guard let base = text.baseAddress?.assumingMemoryBound(to: UInt8.self), text.count <= textLimit else {
            return nil
        }
        scratch.removeAll(keepingCapacity: true)
        var lexer = QueryLexer(text)
        while true {
            let token = lexer.next()
            if token.kind == .end { break }
            for byte in UnsafeBufferPointer(start: base + token.start, count: token.count) {
                // The parser would take the text for over, and the fingerprint would be that of a part.
                guard byte != 0 else { return nil }
                scratch.append(CChar(bitPattern: byte))
            }
            scratch.append(CChar(bitPattern: ByteClass.space))
        }
        scratch.append(0)
        return scratch.withUnsafeBufferPointer { $0.baseAddress.flatMap { fingerprint($0) } }
    }
}
