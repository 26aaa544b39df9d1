/// Counts distinct users in bounded memory: exactly up to 1,024, by HyperLogLog with 4,096 registers beyond, where the
/// standard error is 1.04/√4096 ≈ 1.6 %.
///
/// Fed with `UserHash` values. Merging is commutative, associative and idempotent, so that the same batch counted
/// twice, or two processes' counts, add up right.
/// Source: Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog", 2007.
package struct UserSketch: Hashable, Sendable {
    package static let exactLimit = 1_024
    static let precision = 12
    static let registers = 1 << precision

    private enum Form: Hashable, Sendable {
        case exact(Set<UInt64>)
        case registers([UInt8])
    }

    private var form: Form

    package init() {
        form = .exact([])
    }

    package mutating func insert(_ hash: UInt64) {
        switch form {
        case .exact(var hashes):
            form = .exact([])
            hashes.insert(hash)
            form = hashes.count <= UserSketch.exactLimit ? .exact(hashes) : .registers(UserSketch.spread(hashes))
        case .registers(var registers):
            form = .exact([])
            UserSketch.note(hash, &registers)
            form = .registers(registers)
        }
    }

    package mutating func merge(_ other: UserSketch) {
        switch other.form {
        case .exact(let hashes):
            for hash in hashes { insert(hash) }
        case .registers(let theirs):
            var mine: [UInt8]
            switch form {
            case .exact(let hashes): mine = UserSketch.spread(hashes)
            case .registers(let registers): mine = registers
            }
            for index in mine.indices { mine[index] = max(mine[index], theirs[index]) }
            form = .registers(mine)
        }
    }

    package var count: Int {
        switch form {
        case .exact(let hashes): hashes.count
        case .registers(let registers): UserSketch.estimate(registers)
        }
    }

    // MARK: Bytes

    /// One tag byte (0 exact, 1 registers), then big-endian hashes in ascending order, or the registers.
    package var bytes: [UInt8] {
        switch form {
        case .exact(let hashes):
            [0] + hashes.sorted().flatMap { hash in (0..<8).map { UInt8(truncatingIfNeeded: hash >> (56 - 8 * $0)) } }
        case .registers(let registers): [1] + registers
        }
    }

    /// Nil when the bytes are not what `bytes` writes.
    package init?(bytes: [UInt8]) {
        switch bytes.first {
        case 0:
            guard (bytes.count - 1) % 8 == 0, (bytes.count - 1) / 8 <= UserSketch.exactLimit else { return nil }
            var hashes: Set<UInt64> = []
            for start in stride(from: 1, to: bytes.count, by: 8) {
                hashes.insert(bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) })
            }
            form = .exact(hashes)
        case 1:
            guard bytes.count == UserSketch.registers + 1, bytes.dropFirst().allSatisfy({ $0 <= 53 }) else {
                return nil
            }
            form = .registers(Array(bytes.dropFirst()))
        default:
            return nil
        }
    }

    // MARK: HyperLogLog

    private static func spread(_ hashes: Set<UInt64>) -> [UInt8] {
        var registers = [UInt8](repeating: 0, count: UserSketch.registers)
        for hash in hashes { note(hash, &registers) }
        return registers
    }

    private static func note(_ hash: UInt64, _ registers: inout [UInt8]) {
        let index = Int(hash >> UInt64(64 - precision))
        // The guard bit bounds the rank when all remaining bits are zero.
        let rest = hash << UInt64(precision) | 1 << UInt64(precision - 1)
        registers[index] = max(registers[index], UInt8(rest.leadingZeroBitCount + 1))
    }

    private static func estimate(_ registers: [UInt8]) -> Int {
        let count = Double(UserSketch.registers)
        let sum = registers.reduce(0.0) { $0 + 1 / Double(UInt64(1) << UInt64($1)) }
        let raw = 0.7213 / (1 + 1.079 / count) * count * count / sum
        let empty = registers.count { $0 == 0 }
        let estimate = raw <= 2.5 * count && empty > 0 ? count * logarithm(count / Double(empty)) : raw
        return Int(estimate.rounded())
    }

    /// Natural logarithm by the series of artanh; exact to about 1e-12, far below the sketch's own error.
    static func logarithm(_ value: Double) -> Double {
        let (exponent, significand) = (Double(value.exponent), value.significand)
        let ratio = (significand - 1) / (significand + 1)
        let square = ratio * ratio
        var (term, sum) = (ratio, 0.0)
        for odd in stride(from: 1.0, through: 49, by: 2) {
            sum += term / odd
            term *= square
        }
        return 2 * sum + exponent * 0.693_147_180_559_945_3
    }
}
