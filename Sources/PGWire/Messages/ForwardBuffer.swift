import NIOCore

/// Collects what goes on to the other side: stretches of the buffer being read, and messages of our own between them.
///
/// As long as everything is one stretch, nothing is copied: `take` gives a slice of what was read.
package struct ForwardBuffer {
    private var own = ByteBuffer()
    private var start = 0
    private var end = 0

    package init() {}

    package var isEmpty: Bool { start == end && own.readableBytes == 0 }

    /// The next `count` bytes of `input`, which has to be the same buffer until `take`.
    @inline(__always)
    package mutating func pass(_ input: inout ByteBuffer, _ count: Int) {
        let at = input.readerIndex
        if at != end || start == end {
            settle(input)
            start = at
        }
        end = at + count
        input.moveReaderIndex(forwardBy: count)
    }

    /// Messages of our own, after all that was passed so far.
    package mutating func insert(after input: ByteBuffer, _ write: (inout ByteBuffer) -> Void) {
        settle(input)
        write(&own)
    }

    /// Messages of our own where nothing is passed.
    package mutating func append(_ write: (inout ByteBuffer) -> Void) {
        write(&own)
    }

    /// All of it; nil when there is nothing.
    package mutating func take(from input: ByteBuffer) -> ByteBuffer? {
        if own.readableBytes == 0 {
            guard start != end else { return nil }
            defer { (start, end) = (0, 0) }
            // `getSlice` would refuse what was read already.
            var whole = input
            whole.moveReaderIndex(to: start)
            return whole.readSlice(length: end - start)
        }
        settle(input)
        defer { own = ByteBuffer() }
        return own
    }

    private mutating func settle(_ input: ByteBuffer) {
        guard start != end else { return }
        input.withUnsafeBytes(at: start, count: end - start) { _ = own.writeBytes($0) }
        (start, end) = (0, 0)
    }
}

extension ByteBuffer {
    /// Bytes by absolute index.
    @inline(__always)
    func withUnsafeBytes<Result>(
        at index: Int, count: Int, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        withVeryUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[index..<(index + count)])) }
    }
}
