import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The way out of one connection. As long as the channel has nothing queued, bytes go straight into its socket: a
/// channel's queue, promise and pipeline were a sixth of the guard's time outside the kernel, for answers of a few
/// bytes that the socket takes at once. What the socket does not take, and every failure, is the channel's as usual.
///
/// Invariants:
/// 1. Bytes never overtake others: with anything queued in the channel, all go there.
/// 2. `descriptor` is the channel's own socket, proved by the kernel's cookie, and is forgotten before or while the
///    channel closes it: the number could be another connection's afterwards.
/// 3. Only a channel whose bytes are sent as they are (no TLS) is opened.
final class Outlet {
    private var descriptor: Int32 = -1
    /// Writes that the channel has not finished.
    private var queued = 0
    /// Writes until it is opened; 0: it is being opened or is open; negative: it is not to be.
    private var untilOpened = -1

    var isDirect: Bool { descriptor >= 0 }

    /// Looking for a socket costs as much as some writes: connections that end soon are spared it.
    private static let patience = 8

    /// To be called when no other handler will change what is written any more.
    func openSoon() {
        untilOpened = Self.patience
    }

    /// Writes through the channel, and opens when that is done: all that was written before has gone then.
    func open(writing bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        untilOpened = 0
        let bound = NIOLoopBound((self, context.channel), eventLoop: context.eventLoop)
        context.writeAndFlush(NIOAny(bytes)).whenSuccess {
            let (outlet, channel) = bound.value
            guard outlet.untilOpened == 0 else { return }
            guard let found = Self.descriptor(of: channel) else { return outlet.untilOpened = -1 }
            outlet.descriptor = found
        }
    }

    /// The channel is closed, or is about to be.
    func shut() {
        (descriptor, untilOpened) = (-1, -1)
    }

    @inline(__always)
    func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext?) {
        guard let context else { return }
        guard descriptor >= 0 else { return writeBefore(bytes, context) }
        var rest = bytes
        if queued == 0 {
            let sent = bytes.withUnsafeReadableBytes { send(descriptor, $0.baseAddress, $0.count, Self.flags) }
            if sent == bytes.readableBytes { return }
            if sent > 0 { rest.moveReaderIndex(forwardBy: sent) }
        }
        queue(rest, context)
    }

    private func writeBefore(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        switch untilOpened {
        // It is being opened: what the channel has not sent by then must not be overtaken.
        case 0: queue(bytes, context)
        case 1: open(writing: bytes, context)
        default:
            if untilOpened > 0 { untilOpened -= 1 }
            context.writeAndFlush(NIOAny(bytes), promise: nil)
        }
    }

    private func queue(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        queued += 1
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.writeAndFlush(NIOAny(bytes)).whenComplete { _ in bound.value.queued -= 1 }
    }

    #if os(Linux)
        private static let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        /// SO_COOKIE of Linux, which the C library's module does not show: a number that no two sockets share.
        private static let cookie = NIOBSDSocket.Option(rawValue: 57)

        /// SwiftNIO keeps its descriptors to itself, but for a channel's description; whether it told the truth is
        /// the kernel's to say. Nil: the channel is used as it is.
        private static func descriptor(of channel: any Channel) -> Int32? {
            let text = "\(channel)"
            guard let provider = channel as? any SocketOptionProvider,
                let start = text.firstRange(of: "fd=")?.upperBound,
                let number = Int32(text[start...].prefix { $0.isNumber })
            else { return nil }
            var (own, length) = (UInt64(0), socklen_t(MemoryLayout<UInt64>.size))
            guard getsockopt(number, SOL_SOCKET, cookie.rawValue, &own, &length) == 0, own != 0 else { return nil }
            var isSame = false
            let answer: EventLoopFuture<UInt64> = provider.unsafeGetSocketOption(level: .socket, name: cookie)
            // On the channel's loop the answer is there at once.
            answer.assumeIsolated().whenSuccess { isSame = $0 == own }
            return isSame ? number : nil
        }
    #else
        private static let flags: Int32 = 0

        private static func descriptor(of channel: any Channel) -> Int32? { nil }
    #endif
}
