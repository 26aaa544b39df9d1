import NIOCore

/// What is known about the queries of an event loop, found by their text.
///
/// 1. *Texts*: the exact bytes. The hash finds the entry, a comparison of all bytes confirms it.
/// 2. *Shapes*: the canonical form (see ``CanonicalText``), in which constants do not count, compared likewise. Simple
///    queries with ever-changing constants end here, and never reach a parser.
/// 3. *Queries*: a fingerprint and all facts, so that texts which only libpg_query knows to be equal share one object.
///
/// Comparing bytes instead of trusting 128 bits of hash costs a few nanoseconds and memory that is bounded; in return
/// nobody can make a text that changes the session pass for one that does not. The seed keeps strangers from filling
/// one bucket. A text gets a place among the texts when it comes a second time, or has no place among the shapes:
/// constants that never come again push nothing out.
///
/// Every event loop has its own: it is not `Sendable`, and knows no lock.
package final class QueryCatalog {
    package struct Limits: Sendable {
        /// Texts, and as many shapes, and as many queries.
        package var texts = 10_000
        /// For all three tables, what is known included.
        package var bytes = 8 << 20

        package init(texts: Int = 10_000, bytes: Int = 8 << 20) {
            self.texts = texts
            self.bytes = bytes
        }
    }

    package struct Counters: Equatable, Sendable {
        /// Found by the exact text.
        package var textHits = 0
        /// Found by the canonical form.
        package var shapeHits = 0
        /// Analyzed anew.
        package var misses = 0
        /// The grammar did not have the text.
        package var parseFailures = 0
        /// Too large or too deep, or broken, and therefore not given to the parser.
        package var unparsed = 0

        package init() {}

        package var looks: Int { textHits + shapeHits + misses }
    }

    /// What the catalog holds.
    package struct Size: Equatable, Sendable {
        package var texts: Int
        package var shapes: Int
        package var queries: Int
        package var bytes: Int
        package var evictions: Int
    }

    /// Longer texts and shapes are not kept: shared with the parser, so that what costs a parse is kept.
    static let keptLength = QueryParser.textLimit
    /// Fingerprints outlive the process: their seed is no secret and never changes.
    private static let fingerprintHasher = TextHasher(seed: 0x6D61_696E_7374_6179)
    private static let onceCount = 4096

    package let releases = ReleaseNames()
    package let carried = CarriedSettings.Table()
    private let hasher: TextHasher
    private let texts: TextTable
    private let shapes: TextTable
    private let queries: TextTable
    private let canonical = CanonicalText()
    private var scratch: [CChar] = []
    /// Hashes of texts that came once.
    private let once: UnsafeMutablePointer<UInt64>
    package private(set) var counters = Counters()

    /// - Parameter seed: random, and the same for the life of the process or the loop.
    package init(limits: Limits = Limits(), seed: UInt64) {
        hasher = TextHasher(seed: seed)
        texts = TextTable(entryLimit: limits.texts, byteLimit: limits.bytes / 2)
        shapes = TextTable(entryLimit: limits.texts, byteLimit: limits.bytes / 4)
        queries = TextTable(entryLimit: limits.texts, byteLimit: limits.bytes / 4)
        once = .allocate(capacity: Self.onceCount)
        once.initialize(repeating: 0, count: Self.onceCount)
    }

    deinit {
        once.deallocate()
    }

    package var size: Size {
        Size(
            texts: texts.count, shapes: shapes.count, queries: queries.count,
            bytes: texts.byteCount + shapes.byteCount + queries.byteCount,
            evictions: texts.evictions + shapes.evictions + queries.evictions)
    }

    /// What is known about a query.
    /// - Parameter text: without the zero byte that ends it in a message.
    package func look(at text: UnsafeRawBufferPointer) -> QueryInfo {
        guard let base = text.baseAddress, text.count <= Self.keptLength else { return lookAtShape(text, hash: nil) }
        let hash = hasher.hash(base, count: text.count)
        if let info = texts.find(base, count: text.count, hash: hash) {
            counters.textHits += 1
            return info
        }
        return lookAtShape(text, hash: hash)
    }

    /// What is known about the query that is in the readable bytes, without the zero byte that ends it in a message.
    package func look(at buffer: ByteBuffer) -> QueryInfo {
        buffer.withUnsafeReadableBytes { look(at: $0) }
    }

    /// The release that a text names in a comment, with its application where that is named too; 0: none.
    @inline(__always)
    func release(in text: UnsafeRawBufferPointer) -> UInt32 {
        guard QueryTags.mayBeIn(text), let tags = QueryTags.parse(text), let release = tags.release else { return 0 }
        return releases.number(of: ReleaseNames.name(of: release, by: tags.application ?? ""))
    }

    /// The hash of a text's canonical form.
    package func normalizedHash(of text: UnsafeRawBufferPointer) -> UInt64 {
        canonical.write(text)
        return hasher.hash(canonical.text)
    }

    // MARK: Shapes

    /// - Parameter hash: of the text; nil if it is not to be kept.
    private func lookAtShape(_ text: UnsafeRawBufferPointer, hash: UInt64?) -> QueryInfo {
        canonical.write(text)
        let shape = canonical.text
        guard shape.count <= Self.keptLength, !canonical.isBroken, let form = shape.baseAddress else {
            return meet(text, hash: hash, shapeHash: nil)
        }
        let shapeHash = hasher.hash(form, count: shape.count)
        guard let info = shapes.find(form, count: shape.count, hash: shapeHash) else {
            return meet(text, hash: hash, shapeHash: shapeHash)
        }
        counters.shapeHits += 1
        if let hash, cameBefore(hash) { keep(text, hash: hash, info: info) }
        return info
    }

    /// Whether a text came not long ago; it has now. Another text in the same place only delays things.
    @inline(__always)
    private func cameBefore(_ hash: UInt64) -> Bool {
        let place = once + Int(truncatingIfNeeded: hash >> 48) & (Self.onceCount - 1)
        if place.pointee == hash { return true }
        place.pointee = hash
        return false
    }

    private func keep(_ text: UnsafeRawBufferPointer, hash: UInt64, info: QueryInfo) {
        guard let base = text.baseAddress else { return }
        texts.insert(base, count: text.count, hash: hash, info: info)
    }

    // MARK: New queries

    private func meet(_ text: UnsafeRawBufferPointer, hash: UInt64?, shapeHash: UInt64?) -> QueryInfo {
        counters.misses += 1
        let facts = QueryAnalyzer.facts(of: text)
        let isShape = shapeHash != nil && !facts.dependsOnConstants
        let parsed = parse(text, facts, isShape: isShape)
        let info = share(text, facts, parsed: parsed)
        if let shapeHash, isShape {
            canonical.write(text)
            if let form = canonical.text.baseAddress {
                shapes.insert(form, count: canonical.count, hash: shapeHash, info: info)
            }
            if let hash { _ = cameBefore(hash) }
        } else if let hash {
            keep(text, hash: hash, info: info)
        }
        return info
    }

    /// The parser's fingerprint. A text too long for it may have a shape that is not.
    private func parse(_ text: UnsafeRawBufferPointer, _ facts: QueryFacts, isShape: Bool) -> UInt64? {
        guard facts.nesting <= QueryParser.nestingLimit, !facts.hasPayload, !canonical.isBroken else {
            counters.unparsed += 1
            return nil
        }
        let source = text.count <= QueryParser.textLimit ? text : canonical.text
        guard source.count <= QueryParser.textLimit, source.count == text.count || isShape else {
            counters.unparsed += 1
            return nil
        }
        let fingerprint = QueryParser.fingerprint(of: source, scratch: &scratch)
        if fingerprint == nil { counters.parseFailures += 1 }
        return fingerprint
    }

    /// The object of a query, an old one if there is one with the same facts.
    private func share(_ text: UnsafeRawBufferPointer, _ facts: QueryFacts, parsed: UInt64?) -> QueryInfo {
        let fingerprint = parsed ?? lexicalFingerprint(text)
        let key = Self.key(fingerprint, isLexical: parsed == nil, facts)
        return key.withUnsafeBytes { bytes in
            let hash = hasher.hash(bytes)
            guard let base = bytes.baseAddress, let known = queries.find(base, count: bytes.count, hash: hash) else {
                let info = QueryInfo(
                    fingerprint: fingerprint, isLexical: parsed == nil,
                    normalizedText: NormalizedText.text(of: text, parameters: facts.parameters), facts: facts)
                if let base = bytes.baseAddress { queries.insert(base, count: bytes.count, hash: hash, info: info) }
                return info
            }
            return known
        }
    }

    private func lexicalFingerprint(_ text: UnsafeRawBufferPointer) -> UInt64 {
        canonical.write(text, collapsingAll: true)
        return Self.fingerprintHasher.hash(canonical.text)
    }

    /// All that makes two queries different for a proxy, as bytes.
    private static func key(_ fingerprint: UInt64, isLexical: Bool, _ facts: QueryFacts) -> [UInt8] {
        var key: [UInt8] = []
        func add(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.littleEndian) { key.append(contentsOf: $0) }
        }
        add(fingerprint)
        add(facts.taints.rawValue)
        add(facts.clears.rawValue)
        add(facts.notes.rawValue)
        add(facts.kind.rawValue)
        add(facts.statementCount)
        key.append((isLexical ? 1 : 0) | (facts.isReadOnly ? 2 : 0) | (facts.isWhole ? 4 : 0))
        for setting in facts.settings {
            add(setting.values.count)
            for part in [setting.name] + setting.values {
                add(part.utf8.count)
                key.append(contentsOf: part.utf8)
            }
        }
        return key
    }
}
