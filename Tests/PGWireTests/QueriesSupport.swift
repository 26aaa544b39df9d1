import CPGQuery
import PGWire

/// What the tests of queries share.
enum Queries {
    static func withBytes<Result>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withBytes(Array(text.utf8), body)
    }

    /// In memory of exactly the text's size, so that tools which watch memory see a byte too many.
    static func withBytes<Result>(_ text: [UInt8], _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: text)
        return body(UnsafeRawBufferPointer(memory))
    }

    /// What a new catalog says.
    static func info(_ text: String) -> QueryInfo {
        look(small(seed: 1), text)
    }

    /// A catalog that is made quickly.
    static func small(seed: UInt64) -> QueryCatalog {
        QueryCatalog(limits: QueryCatalog.Limits(texts: 8), seed: seed)
    }

    static func look(_ catalog: QueryCatalog, _ text: String) -> QueryInfo {
        withBytes(text) { catalog.look(at: $0) }
    }

    static func hash(_ text: String) -> UInt64 {
        let catalog = small(seed: 1)
        return withBytes(text) { catalog.normalizedHash(of: $0) }
    }

    static func tokens(_ text: [UInt8]) -> (tokens: [QueryToken], isBroken: Bool) {
        withBytes(text) { bytes in
            var lexer = QueryLexer(bytes)
            var tokens: [QueryToken] = []
            while true {
                let token = lexer.next()
                if token.kind == .end { return (tokens, lexer.isBroken) }
                tokens.append(token)
            }
        }
    }

    /// libpg_query's own word on a text; nil if it does not parse.
    static func parsedFingerprint(_ text: String) -> UInt64? {
        let result = pg_query_fingerprint(text)
        defer { pg_query_free_fingerprint_result(result) }
        return result.error == nil ? result.fingerprint : nil
    }

    /// The same tokens with other space, comments and letter case.
    static func disguised(_ text: String, _ chance: inout QueriesChance) -> String {
        let bytes = Array(text.utf8)
        let spaces = [" ", "\n", "\t ", " /* x */ ", " -- y\n", "/**/", " /* a /* b */ ' */ "]
        return tokens(bytes).tokens.map { token in
            let lexeme = String(decoding: bytes[token.start..<token.end], as: UTF8.self)
            guard token.kind == .word else { return lexeme }
            return chance.below(2) == 0 ? lexeme.uppercased() : lexeme.lowercased()
        }.reduce("") { $0 + (chance.below(3) == 0 ? chance.pick(spaces) : " ") + $1 }
    }

    /// The catalog's lasting knowledge in one line, to compare objects by.
    static func line(_ info: QueryInfo) -> String {
        "\(info.fingerprintText) \(info.isLexical) \(info.kind) \(info.isReadOnly) \(info.statementCount) "
            + "taints \(info.taints) clears \(info.clears) notes \(info.notes.rawValue) "
            + (info.setting?.statement ?? "no setting")
    }
}

/// Chance that can be repeated: splitmix64.
struct QueriesChance: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ limit: Int) -> Int {
        Int(next() % UInt64(limit))
    }

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[below(choices.count)]
    }
}
