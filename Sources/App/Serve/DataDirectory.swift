import Decide
import Foundation

/// Keys and first secrets, in files that only their owner can read.
enum DataDirectory {
    struct Unusable: Error, CustomStringConvertible {
        var description: String
    }

    static func prepare(_ server: ServerSettings) throws {
        var directories = [server.dataDirectory]
        if !server.database.hasPrefix("postgres") {
            directories.append(URL(fileURLWithPath: server.database).deletingLastPathComponent().path)
        }
        for directory in directories {
            do {
                try FileManager.default.createDirectory(
                    atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw Unusable(
                    description: "The data directory \(directory) cannot be made: \(error.localizedDescription)")
            }
        }
    }

    /// 32 bytes that sign the links in pages; made at first start.
    static func linkKey(_ server: ServerSettings) throws -> [UInt8] {
        let path = server.dataDirectory + "/link.key"
        if let data = FileManager.default.contents(atPath: path) {
            guard data.count == 32 else {
                throw Unusable(description: "\(path) must hold 32 bytes; remove it to have a new one made.")
            }
            return Array(data)
        }
        var generator = SystemRandomNumberGenerator()
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        try write(Data(key), to: path)
        return key
    }

    static func write(_ data: Data, to path: String) throws {
        guard
            FileManager.default.createFile(atPath: path, contents: data, attributes: [.posixPermissions: 0o600])
        else { throw Unusable(description: "\(path) cannot be written.") }
    }
}
