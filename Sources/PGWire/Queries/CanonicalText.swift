/// The canonical form of a query's text, in a buffer that is used again for every text.
///
/// Tokens are separated by single spaces; comments are gone; unquoted words are in lower case. In statements that work
/// on rows (SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, TABLE, WITH, EXECUTE, CALL) every constant and parameter is
/// `$1`, `-1` is the same as `1`, and equal neighbours in an `IN (…)` list and equal neighbouring rows of `VALUES` are
/// one. Other statements keep their constants, since those decide what they do (`SET x = 1`, `DO '…'`).
///
/// Two texts with the same form have the same fingerprint in libpg_query, which also merges what this does not (`a, b`
/// and `b, a`). Three spellings need care for that to hold:
/// - libpg_query folds a minus into a number, not into a parameter: a number under a minus that could not be folded
///   here is written as `0`.
/// - `float(24)` and `float(53)` are two types: their number stays.
/// - `U&'…'`, `B'…'`, `E'…'` and `$$…$$` are constants like others, `N'…'` is a cast and is marked.
///
/// The form is compared byte by byte in the catalog; a mere hash of it would let whoever finds a collision pass a
/// statement that changes the session for one that does not.
final class CanonicalText {
    /// A buffer that grew beyond this is given back after use.
    private static let keptCapacity = 256 << 10

    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private let lists = ListStack.allocate()
    private(set) var count = 0
    /// The text ended inside a quote or a comment.
    private(set) var isBroken = false

    init() {
        capacity = 4096
        bytes = .allocate(capacity: capacity)
    }

    deinit {
        bytes.deallocate()
        lists.deallocate()
    }

    var text: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }

    /// Writes the canonical form of a text over the previous one.
    /// - Parameter collapsingAll: constants are replaced in statements of every kind.
    func write(_ text: UnsafeRawBufferPointer, collapsingAll: Bool = false) {
        count = 0
        isBroken = false
        guard let base = text.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        reserve(text.count * 3 + 32)
        var writer = CanonicalWriter(
            base: base, lexer: QueryLexer(text), bytes: bytes, collapsesAll: collapsingAll,
            lists: ListStack(memory: lists))
        writer.run()
        count = writer.count
        isBroken = writer.lexer.isBroken
    }

    /// A token makes at most three bytes of each of its own (`5` becomes `$1` and a space), or `n' $1 ` of `N''`.
    private func reserve(_ needed: Int) {
        guard needed > capacity || capacity > Self.keptCapacity else { return }
        bytes.deallocate()
        capacity = max(needed, 4096)
        bytes = .allocate(capacity: capacity)
    }
}
