import NIOCore

extension ByteBuffer {
    /// The readable bytes, in memory that is nobody else's.
    var copied: ByteBuffer {
        var own = ByteBufferAllocator().buffer(capacity: readableBytes)
        own.writeImmutableBuffer(self)
        return own
    }
}
