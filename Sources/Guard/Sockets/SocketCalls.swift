import CEpoll
import Glibc
import NIOCore

/// The kernel's calls on sockets, none of which waits; failures are `IOError`s.
enum SocketCalls {
    /// The peer is told that nothing more comes.
    static func endWriting(_ descriptor: Int32) {
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    /// A stream socket that does not block and that no child process inherits.
    static func open(_ family: Int32) throws -> Int32 {
        try must(socket(family, stream | nonBlocking | closing, 0), "socket")
    }

    static func listen(at address: SocketAddress, backlog: Int32) throws -> Int32 {
        let descriptor = try open(family(of: address))
        do {
            try set(descriptor, SOL_SOCKET, SO_REUSEADDR)
            _ = try address.withSockAddr { try must(bind(descriptor, $0, socklen_t($1)), "bind") }
            _ = try must(Glibc.listen(descriptor, backlog), "listen")
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Nil: nobody waits.
    static func accept(_ listener: Int32) throws -> (descriptor: Int32, peer: SocketAddress?)? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let descriptor = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                accept4(listener, $0, &length, nonBlocking | closing)
            }
        }
        if descriptor >= 0 { return (descriptor, address(storage)) }
        let number = errno
        if number == EAGAIN { return nil }
        throw IOError(errnoCode: number, reason: "accept")
    }

    /// - Returns: whether the connection is there already.
    static func connect(_ descriptor: Int32, to address: SocketAddress) throws -> Bool {
        let answer = address.withSockAddr { Glibc.connect(descriptor, $0, socklen_t($1)) }
        if answer == 0 { return true }
        let number = errno
        if number == EINPROGRESS || number == EINTR { return false }
        throw IOError(errnoCode: number, reason: "connect")
    }

    /// What became of a connection that was being made; nil: it is there.
    static func pendingError(_ descriptor: Int32) -> IOError? {
        var (number, length) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &length) == 0 else {
            return IOError(errnoCode: errno, reason: "getsockopt")
        }
        return number == 0 ? nil : IOError(errnoCode: number, reason: "connect")
    }

    /// Small messages go at once, and a peer that vanished is noticed.
    static func tune(_ descriptor: Int32) throws {
        try set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
        try set(descriptor, SOL_SOCKET, SO_KEEPALIVE)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32) throws {
        var value: Int32 = 1
        _ = try must(
            setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)), "setsockopt")
    }

    static func localAddress(_ descriptor: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let answer = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return answer == 0 ? address(storage) : nil
    }

    /// Of a Unix socket, which has no name at its connecting end: nil.
    private static func address(_ storage: sockaddr_storage) -> SocketAddress? {
        withUnsafePointer(to: storage) { pointer in
            switch Int32(storage.ss_family) {
            case AF_INET:
                pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { SocketAddress($0.pointee) }
            case AF_INET6:
                pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee) }
            default: nil
            }
        }
    }

    static func family(of address: SocketAddress) -> Int32 {
        switch address {
        case .v4: AF_INET
        case .v6: AF_INET6
        case .unixDomainSocket: AF_UNIX
        }
    }

    /// Every address of a name, in the system's order. It may take seconds: not for an event loop.
    static func resolve(_ host: String, _ port: Int) throws -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = stream
        var first: UnsafeMutablePointer<addrinfo>?
        let answer = getaddrinfo(host, String(port), &hints, &first)
        defer { if let first { freeaddrinfo(first) } }
        guard answer == 0 else {
            throw UnknownHost(name: host, reason: gai_strerror(answer).map { String(cString: $0) } ?? "\(answer)")
        }
        var addresses: [SocketAddress] = []
        var next = first
        while let entry = next?.pointee {
            var storage = sockaddr_storage()
            if let found = entry.ai_addr {
                withUnsafeMutableBytes(of: &storage) {
                    $0.copyMemory(from: UnsafeRawBufferPointer(start: found, count: Int(entry.ai_addrlen)))
                }
                if let address = address(storage) { addresses.append(address) }
            }
            next = entry.ai_next
        }
        guard !addresses.isEmpty else { throw UnknownHost(name: host, reason: "it has no address") }
        return addresses
    }

    struct UnknownHost: Error, CustomStringConvertible {
        var name: String
        var reason: String

        var description: String { "\(name): \(reason)" }
    }

    static func close(_ descriptor: Int32) {
        // Whatever it answers, the number is free again.
        _ = Glibc.close(descriptor)
    }

    static func must(_ answer: Int32, _ name: String) throws -> Int32 {
        guard answer >= 0 else { throw IOError(errnoCode: errno, reason: name) }
        return answer
    }

    private static let stream = Int32(SOCK_STREAM.rawValue)
    private static let nonBlocking = Int32(SOCK_NONBLOCK.rawValue)
    private static let closing = Int32(SOCK_CLOEXEC.rawValue)
}
