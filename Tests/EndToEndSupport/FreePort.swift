import Foundation
import Synchronization

package enum FreePort {
    /// Below those that the system gives to connections and to whoever asks for any: nobody is given one of these
    /// between its being found free and its use. Each is given once.
    private static let range = 25_000..<32_768
    private static let last = Mutex(Int.random(in: range))

    /// A port that was free a moment ago.
    package static func take() throws -> Int {
        for _ in range {
            let port = last.withLock { port in
                port = port + 1 < range.upperBound ? port + 1 : range.lowerBound
                return port
            }
            if try isFree(port) { return port }
        }
        throw Complaint("no free port")
    }

    private static func isFree(_ port: Int) throws -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Complaint("no socket") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
