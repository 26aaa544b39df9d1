import EndToEndSupport
import Foundation

/// A disk of a few megabytes, in memory.
struct SmallDisk: Sendable {
    static let isPossible = geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/mount")

    let path: String
    private var filler: String { path + "/filler" }

    static func run(at path: String, _ body: (SmallDisk) async throws -> Void) async throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let mounted = try await Command.run("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", path])
        guard mounted.code == 0 else { throw Complaint("mount: \(mounted.errors)") }
        do {
            try await body(SmallDisk(path: path))
        } catch {
            // Lazily: a process may still have its files open.
            _ = try await Command.run("/usr/bin/umount", ["--lazy", path])
            throw error
        }
        _ = try await Command.run("/usr/bin/umount", ["--lazy", path])
    }

    /// Until nothing more fits.
    func fill() throws {
        guard let file = fopen(filler, "w") else { throw Complaint("no filler") }
        defer { fclose(file) }
        setvbuf(file, nil, _IONBF, 0)
        let block = [UInt8](repeating: 120, count: 4_096)
        while fwrite(block, 1, block.count, file) == block.count {}
    }

    func clear() throws { try FileManager.default.removeItem(atPath: filler) }
}
