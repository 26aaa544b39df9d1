import EndToEndSupport
import Foundation
import SQL
import TestSupport
import Testing

extension EndToEnd {
    /// `mainstay guard`, by itself, before a real PostgreSQL, in surroundings that are not what they should be.
    @Suite(.serialized, .enabled(if: TestDriver.isPostgresAvailable, "needs MAINSTAY_TEST_POSTGRES"))
    struct GuardAloneTests {
        /// - Parameter shell: starts `"$0" guard --config "$1"`.
        private func alone(
            _ shell: String, _ body: @escaping @Sendable (TownProcess, _ port: Int, _ url: String) async throws -> Void
        ) async throws {
            try await Town.run { town in
                let port = try FreePort.take()
                let server = try #require(URLComponents(string: TestDriver.serverURL))
                let configuration = town.directory + "/guard.yaml"
                try """
                guard:
                  listen: "127.0.0.1:\(port)"
                  auth: trust
                  pool-size: 2
                  other-databases:
                    targets: [ "postgres://\(server.host ?? ""):\(server.port ?? 5_432)?sslmode=disable" ]
                """.write(toFile: configuration, atomically: true, encoding: .utf8)
                let process = town.process(
                    "guard", "/usr/bin/env",
                    ["--default-signal=PIPE", "bash", "-c", shell, Binaries.mainstay, configuration])
                try await process.start()
                let url = "postgres://\(server.user ?? "postgres")@127.0.0.1:\(port)/postgres"
                try await eventually("the guard answers") { try await Self.answers(url) ? true : nil }
                try await body(process, port, url)
                #expect(process.isRunning, "\(process.output)")
            }
        }

        private static func answers(_ url: String) async throws -> Bool {
            do {
                var options = PoolOptions()
                options.connections = 1
                let database = try PostgresDatabase(url: url, options: options)
                return try await database.read { try $0.query("SELECT 1").count } == 1
            } catch is SQLError {
                return false
            }
        }

        @Test("it goes on when whoever reads its log has gone")
        func logReaderGone() async throws {
            let shell = #"exec "$0" guard --config "$1" --log-level debug > >(head -n 1) 2>&1"#
            try await alone(shell) { process, _, url in
                for _ in 0..<5 { try #require(try await Self.answers(url)) }
                #expect(process.isRunning)
            }
        }

        @Test("without descriptors for another connection it serves those that it has, and takes others again later")
        func descriptors() async throws {
            try await alone(#"ulimit -n 40; exec "$0" guard --config "$1""#) { process, port, url in
                var crowd: [Int32] = []
                defer { for descriptor in crowd { close(descriptor) } }
                for _ in 0..<60 { crowd.append(try Self.connect(port)) }
                try await eventually("it says what is wrong") {
                    process.output.contains("a connection could not be taken") ? true : nil
                }
                for descriptor in crowd { close(descriptor) }
                crowd = []
                try await eventually("it takes connections again") { try await Self.answers(url) ? true : nil }
            }
        }

        @Test("a soft limit on descriptors is no limit on clients")
        func softLimit() async throws {
            try await alone(#"ulimit -Sn 64; exec "$0" guard --config "$1""#) { process, port, url in
                var crowd: [Int32] = []
                defer { for descriptor in crowd { close(descriptor) } }
                for _ in 0..<120 { crowd.append(try Self.connect(port)) }
                try await eventually("one more is served") { try await Self.answers(url) ? true : nil }
                #expect(!process.output.contains("a connection could not be taken"))
            }
        }

        private static func connect(_ port: Int) throws -> Int32 {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
            let answer = withUnsafePointer(to: address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard answer == 0 else { throw Complaint("no connection: errno \(errno)") }
            return descriptor
        }

        @Test(
            "inside Mainstay it serves while the record is away: before it was ever there, and after it has gone",
            .enabled(if: OwnPostgres.isPossible, "needs Debian's postgresql"))
        func recordAway() async throws {
            try await Town.run { town in
                let record = try await OwnPostgres.make(in: town.directory)
                let port = try FreePort.take()
                let server = try #require(URLComponents(string: TestDriver.serverURL))
                var plan = TownPlan()
                plan.database = record.url
                plan.proxy = """
                    guard:
                      listen: "127.0.0.1:\(port)"
                      auth: trust
                      databases:
                        notes:
                          targets: [ "postgres://\(server.host ?? ""):\(server.port ?? 5_432)/postgres?sslmode=disable" ]
                    """
                try town.configure(plan)
                try await town.mainstay.start()
                let url = "postgres://\(server.user ?? "postgres")@127.0.0.1:\(port)/notes"
                try await eventually("the guard answers") { try await Self.answers(url) ? true : nil }
                try await eventually("it says what is wrong") {
                    town.mainstay.output.contains("Mainstay cannot serve; the guard goes on") ? true : nil
                }
                town.mainstay.signal(SIGHUP)
                try #require(try await Self.answers(url))
                do {
                    try await record.start()
                    try await eventually("Mainstay is well") { try await town.api.isHealthy() ? true : nil }
                    try await record.stop()
                    try await eventually("it is not") { try await town.api.isHealthy() ? nil : true }
                    try #require(try await Self.answers(url))
                    try await record.start()
                    try await eventually("it is again") { try await town.api.isHealthy() ? true : nil }
                    try await town.mainstay.stop()
                } catch {
                    try? await record.stop()
                    throw error
                }
                try await record.stop()
            }
        }
    }
}
