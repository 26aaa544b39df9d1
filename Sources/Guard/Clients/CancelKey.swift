/// What a client shows to have its query cancelled: ours, not a server's.
struct CancelKey {
    let processID: Int32
    private let secret: UInt32

    init(using generator: inout some RandomNumberGenerator) {
        processID = Int32.random(in: 1...Int32.max, using: &generator)
        secret = generator.next()
    }

    var secretBytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: secret >> (24 - 8 * $0)) } }

    /// In constant time.
    func matches(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 4 else { return false }
        return zip(bytes, secretBytes).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
