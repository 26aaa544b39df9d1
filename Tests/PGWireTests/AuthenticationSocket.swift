import Foundation
import Glibc
import NIOCore

@testable import PGWire

/// A blocking Unix socket, for tests only: to be used on a thread of its own.
final class AuthenticationSocket {
    private typealias Scene = AuthenticationScene

    /// How long something may take that has to happen at all.
    private static let patience = timeval(tv_sec: 60, tv_usec: 0)

    private let descriptor: Int32
    private var received = ByteBuffer()

    private init(descriptor: Int32) throws {
        self.descriptor = descriptor
        // A server that a neighbouring test starts must not keep it open.
        guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else { throw Scene.Complaint("fcntl: \(errno)") }
        var limit = Self.patience
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            guard setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) == 0 else {
                throw Scene.Complaint("setsockopt: \(errno)")
            }
        }
    }

    deinit { close(descriptor) }

    static func connect(to path: String) throws -> AuthenticationSocket {
        let socket = try AuthenticationSocket(descriptor: open())
        guard try withAddress(path, { Glibc.connect(socket.descriptor, $0, $1) }) == 0 else {
            throw Scene.Complaint("connect: \(errno)")
        }
        return socket
    }

    static func listen(at path: String) throws -> AuthenticationSocket {
        let socket = try AuthenticationSocket(descriptor: open())
        guard try withAddress(path, { Glibc.bind(socket.descriptor, $0, $1) }) == 0,
            Glibc.listen(socket.descriptor, 4) == 0
        else { throw Scene.Complaint("listen: \(errno)") }
        return socket
    }

    func accept() throws -> AuthenticationSocket {
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { throw Scene.Complaint("accept: \(errno)") }
        return try AuthenticationSocket(descriptor: accepted)
    }

    private static func open() throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Scene.Complaint("socket: \(errno)") }
        return descriptor
    }

    private static func withAddress<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Scene.Complaint("a path too long: \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    func send(_ buffer: ByteBuffer) throws {
        var rest = Array(buffer.readableBytesView)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Scene.Complaint("send: \(errno)") }
            rest = rest.dropFirst(count)
        }
    }

    /// The next frame.
    func frame() throws -> AuthenticationScene.Frame {
        while true {
            if let type = received.getInteger(at: received.readerIndex, as: UInt8.self),
                let length = received.getInteger(at: received.readerIndex + 1, as: Int32.self),
                received.readableBytes > Int(length)
            {
                received.moveReaderIndex(forwardBy: 5)
                guard let payload = received.readSlice(length: Int(length) - 4) else {
                    throw Scene.Complaint("a length of \(length)")
                }
                return Scene.Frame(type: type, payload: payload)
            }
            try receive()
        }
    }

    func startup() throws -> StartupPacket {
        while true {
            if let packet = try StartupPacket.parse(&received) { return packet }
            try receive()
        }
    }

    private func receive() throws {
        var chunk = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { throw Scene.Complaint(count == 0 ? "closed" : "receive: \(errno)") }
        received.writeBytes(chunk[..<count])
    }

    /// Runs what blocks on a thread of its own: Swift's own threads are few.
    static func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }
}
