import NIOCore

extension ByteBuffer {
    /// The readable bytes, in memory that is no larger and nobody else's.
    var copied: ByteBuffer {
        var own = ByteBufferAllocator().buffer(capacity: readableBytes)
        own.writeImmutableBuffer(self)
        return own
    }
}
