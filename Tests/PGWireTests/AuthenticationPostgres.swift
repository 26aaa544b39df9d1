import Foundation
import NIOCore

@testable import PGWire

/// A PostgreSQL server of a test's own, which insists on passwords: every method there is, by the user's name.
struct AuthenticationPostgres: Sendable {
    private typealias Scene = AuthenticationScene

    private static let binaries = ["15", "16", "17", "18", "14"].map { "/usr/lib/postgresql/\($0)/bin" }
        .first { FileManager.default.isExecutableFile(atPath: $0 + "/initdb") }
    static let isPossible = binaries != nil

    let folder: String
    var socket: String { folder + "/.s.PGSQL.5432" }
    private var data: String { folder + "/data" }

    /// Runs `body` with a server that is gone afterwards. Blocks.
    static func run<Value>(_ body: (AuthenticationPostgres) throws -> Value) throws -> Value {
        let directory = FileManager.default.temporaryDirectory.path + "/pgwire-\(UUID().uuidString.prefix(8))"
        let postgres = AuthenticationPostgres(folder: directory + "/postgres")
        let manager = FileManager.default
        try manager.createDirectory(atPath: postgres.folder, withIntermediateDirectories: true)
        defer { try? manager.removeItem(atPath: directory) }
        if geteuid() == 0 {
            // It refuses to run as root; then its own user needs the folder, and a way to it.
            try postgres.execute(["/usr/bin/chmod", "711", directory])
            try postgres.execute(["/usr/bin/chown", "postgres", postgres.folder])
        }
        try postgres.perform(
            "initdb", ["--pgdata", postgres.data, "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"])
        try rules.write(toFile: postgres.folder + "/rules", atomically: false, encoding: .utf8)
        try postgres.perform(
            "pg_ctl",
            [
                "start", "--silent", "--wait", "--pgdata", postgres.data, "--log", postgres.folder + "/server.log",
                "--options",
                "-c listen_addresses= -c unix_socket_directories=\(postgres.folder) -c fsync=off "
                    + "-c hba_file=\(postgres.folder)/rules",
            ])
        defer { try? postgres.perform("pg_ctl", ["stop", "--silent", "--mode=immediate", "--pgdata", postgres.data]) }
        return try body(postgres)
    }

    private static let rules = """
        local all postgres trust
        local all md5_user md5
        local all clear_user password
        local all all scram-sha-256

        """

    /// Logs in and asks; blocks.
    func ask(
        _ sql: [String], as user: String = "postgres", _ credential: ServerAuthentication.Credential = .none,
        policy: ServerAuthentication.Policy = .init(), knownKeys: ScramKeys? = nil, minorVersion: UInt16 = 0
    ) throws -> (answers: [String], keys: ScramKeys?, negotiation: ProtocolNegotiation?) {
        let wire = try AuthenticationSocket.connect(to: socket)
        var bytes = ByteBuffer()
        bytes.writePGStartupMessage(
            minorVersion: minorVersion,
            parameters: [
                .init(name: "user", value: user), .init(name: "database", value: "postgres"),
                .init(name: "options", value: #"-c application_name=a\ b --work-mem=77kB"#),
            ])
        try wire.send(bytes)
        var login = ServerAuthentication(
            user: user, credential: credential,
            nonce: ScramNonce(.random(in: 0 ... .max), .random(in: 0 ... .max), .random(in: 0 ... .max)),
            isEncrypted: false, policy: policy, knownKeys: knownKeys)
        while true {
            let frame = try wire.frame()
            switch login.receive(type: frame.type, payload: frame.payload) {
            case .wait: continue
            case .send(let answer): try wire.send(answer)
            case .fail(let error, _): throw error
            case .done(let keys): return (try query(sql, on: wire), keys, login.negotiation)
            }
        }
    }

    /// The first column of every row.
    private func query(_ sql: [String], on wire: AuthenticationSocket) throws -> [String] {
        var answers: [String] = []
        while try wire.frame().type != UInt8(ascii: "Z") {}
        for text in sql {
            var bytes = ByteBuffer()
            bytes.writePGQuery(text)
            try wire.send(bytes)
            while true {
                var frame = try wire.frame()
                if frame.type == UInt8(ascii: "Z") { break }
                if frame.type == UInt8(ascii: "E") {
                    throw Scene.Complaint(try ErrorFields(parsing: frame.payload).message)
                }
                guard frame.type == UInt8(ascii: "D"), frame.payload.readInteger(as: UInt16.self) != nil,
                    let length = frame.payload.readInteger(as: Int32.self)
                else { continue }
                answers.append(frame.payload.readString(length: Int(length)) ?? "")
            }
        }
        return answers
    }

    /// What psql said, and how it ended. Blocks.
    static func psql(
        folder: String, user: String, password: String, _ sql: String
    ) throws -> (code: Int32, said: String) {
        let log = folder + "/psql.log"
        let code = try AuthenticationCommand.run(
            [
                (binaries ?? "") + "/psql", "--no-psqlrc", "--host", folder, "--port", "5432", "--username", user,
                "--dbname", "shop", "--command", sql,
            ],
            environment: [
                "PGPASSWORD": password, "PGOPTIONS": "-c search_path=a", "PGCLIENTENCODING": "UTF8", "LC_ALL": "C",
                "PGCONNECT_TIMEOUT": "60", "PGAPPNAME": "psql",
            ], log: log)
        return (code, try String(contentsOfFile: log, encoding: .utf8))
    }

    private func perform(_ tool: String, _ arguments: [String]) throws {
        let path = (Self.binaries ?? "") + "/" + tool
        try execute((geteuid() == 0 ? ["/usr/sbin/runuser", "-u", "postgres", "--"] : []) + [path] + arguments)
    }

    private func execute(_ arguments: [String]) throws {
        let log = folder + ".log"
        guard try AuthenticationCommand.run(arguments, log: log) == 0 else {
            throw Scene.Complaint("\(arguments): \(try String(contentsOfFile: log, encoding: .utf8))")
        }
    }
}
