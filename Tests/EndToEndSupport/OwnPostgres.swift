import Foundation
import TestSupport

/// A PostgreSQL server of a test's own, which can be stopped and started again.
package struct OwnPostgres: Sendable {
    private static let binaries = ["15", "16", "17", "14"].map { "/usr/lib/postgresql/\($0)/bin" }
        .first { FileManager.default.isExecutableFile(atPath: $0 + "/initdb") }
    package static let isPossible = binaries != nil

    package let url: String
    package let port: Int
    private let folder: String
    private let speaksTLS: Bool

    /// - Parameter tls: speaks TLS with it with those who want to, and with the user `careful` always; nil: does not
    ///   know TLS.
    /// - Parameter rules: who may log in how, as in `pg_hba.conf`; nil: everyone without a password.
    package static func make(
        in directory: String, tls: TestAuthority.Issued? = nil, rules: String? = nil
    ) async throws -> OwnPostgres {
        let port = try FreePort.take()
        let postgres = OwnPostgres(
            url: "postgres://postgres@127.0.0.1:\(port)/postgres", port: port, folder: directory + "/postgres",
            speaksTLS: tls != nil)
        try FileManager.default.createDirectory(atPath: postgres.folder, withIntermediateDirectories: true)
        if geteuid() == 0 {
            // It refuses to run as root; then its own user needs the folder, and a way to it.
            _ = try await Command.run("/usr/bin/chmod", ["711", directory])
            _ = try await Command.run("/usr/bin/chown", ["postgres", postgres.folder])
        }
        try await postgres.perform(
            "initdb",
            [
                "--pgdata", postgres.data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8",
                "--locale",
                "C", "--no-sync",
            ])
        if let tls { try await postgres.secure(tls) }
        if let rules { try rules.write(toFile: postgres.data + "/pg_hba.conf", atomically: false, encoding: .utf8) }
        return postgres
    }

    /// It reads a key only when the key is its own and nobody else can read it.
    private func secure(_ tls: TestAuthority.Issued) async throws {
        for (source, name) in [(tls.certificate, "server.crt"), (tls.key, "server.key")] {
            let file = "\(data)/\(name)"
            try FileManager.default.copyItem(atPath: source, toPath: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            if geteuid() == 0 { _ = try await Command.run("/usr/bin/chown", ["postgres", file]) }
        }
        // Both ways are open to the others, so that what is encrypted is so because the client saw to it.
        let rules = "host all postgres 127.0.0.1/32 trust\nhostssl all careful 127.0.0.1/32 trust\n"
        try rules.write(toFile: data + "/pg_hba.conf", atomically: false, encoding: .utf8)
    }

    private var data: String { folder + "/data" }

    package func start() async throws {
        let options =
            "-c listen_addresses=127.0.0.1 -c port=\(port) -c unix_socket_directories=\(folder) -c fsync=off"
            + (speaksTLS ? " -c ssl=on" : "")
        try await perform(
            "pg_ctl",
            ["start", "--silent", "--wait", "--pgdata", data, "--log", folder + "/server.log", "--options", options])
    }

    /// At once, as when its machine dies.
    package func stop() async throws {
        try await perform("pg_ctl", ["stop", "--silent", "--mode", "immediate", "--pgdata", data])
    }

    /// Runs while `body` does.
    package func serving(_ body: () async throws -> Void) async throws {
        try await start()
        do {
            try await body()
        } catch {
            try? await stop()
            throw error
        }
        try await stop()
    }

    private func perform(_ tool: String, _ arguments: [String]) async throws {
        let path = (Self.binaries ?? "") + "/" + tool
        // Its output goes to a file: the server would keep a pipe open for as long as it lives.
        let line = ([path] + arguments).map { "'\($0)'" }.joined(separator: " ") + " > tool.log 2>&1"
        let outcome =
            geteuid() == 0
            ? try await Command.run("/usr/sbin/runuser", ["-u", "postgres", "--", "/bin/sh", "-c", line], in: folder)
            : try await Command.run("/bin/sh", ["-c", line], in: folder)
        guard outcome.code == 0 else {
            let log = (try? String(contentsOfFile: folder + "/tool.log", encoding: .utf8)) ?? ""
            throw Complaint("\(tool): \(outcome.errors) \(log)")
        }
    }
}
