import NIOCore

extension ByteBuffer {
    package mutating func writePGReadyForQuery(status: TransactionStatus) {
        writePGReadyForQuery(status: status.rawValue)
    }
}
