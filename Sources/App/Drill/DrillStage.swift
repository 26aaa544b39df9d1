import AsyncHTTPClient
import Decide
import Foundation
import NIOCore
import NIOHTTP1

/// Everything a drill runs on: a directory of its own, free ports, secrets made for it, and a configuration.
struct DrillStage: Sendable {
    let plan: DrillPlan
    let directory: String
    let mainstay: String
    let storefront: String
    let mailPort: Int
    let token: String

    private let serviceToken: String
    private let syntheticSecret: String
    private let syntheticPassword: String
    let mainstayPort: Int
    let storefrontPort: Int

    /// Products in the Storefront's small demo data.
    static let products = 200

    init(plan: DrillPlan, directory: String, mailPort: Int) throws {
        self.plan = plan
        self.directory = directory
        self.mailPort = mailPort
        mainstayPort = try FreePort.take()
        storefrontPort = try FreePort.take()
        mainstay = "http://127.0.0.1:\(mainstayPort)"
        storefront = "http://127.0.0.1:\(storefrontPort)"
        token = Self.secret()
        serviceToken = Self.secret()
        syntheticSecret = Self.secret()
        syntheticPassword = Self.secret()
        try configuration.write(toFile: directory + "/mainstay.yaml", atomically: true, encoding: .utf8)
    }

    private static func secret() -> String {
        (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
    }

    var processes: [DrillProcess] {
        let own = ProcessInfo.processInfo.arguments.first ?? "mainstay"
        let executable = Self.resolve(own)
        let beside = URL(fileURLWithPath: executable).deletingLastPathComponent().appendingPathComponent("storefront")
            .path
        let shared = [
            "MAINSTAY_SYNTHETIC_SECRET": syntheticSecret, "STOREFRONT_SYNTHETIC_PASSWORD": syntheticPassword,
            "STOREFRONT_TOKEN": serviceToken, "STOREFRONT_DATABASE": directory + "/storefront.sqlite",
        ]
        return [
            DrillProcess(
                name: "mainstay", executable: executable,
                arguments: ["serve", "--config", directory + "/mainstay.yaml"],
                environment: shared.merging(["MAINSTAY_ADMIN_TOKEN": token]) { $1 },
                log: directory + "/mainstay.log"),
            DrillProcess(
                name: "storefront", executable: beside,
                arguments: [
                    "serve", "--port", "\(storefrontPort)", "--database", directory + "/storefront.sqlite",
                    "--mainstay", mainstay, "--flag-cache", directory + "/flags.json", "--seed", "small",
                ], environment: shared.merging(["MAINSTAY_TOKEN": serviceToken]) { $1 },
                log: directory + "/storefront.log"),
        ]
    }

    /// The path of this very program, also when it was found through PATH.
    private static func resolve(_ own: String) -> String {
        do {
            return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        } catch {
            return URL(fileURLWithPath: own).standardizedFileURL.path
        }
    }

    /// Waits until both answer; a process that ends meanwhile fails the drill by itself.
    func ready() async throws {
        for url in [storefront, mainstay] {
            var request = HTTPClientRequest(url: url + "/healthz")
            request.method = .GET
            while true {
                try Task.checkCancellation()
                do {
                    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(2))
                    _ = try await response.body.collect(upTo: 65_536)
                    if response.status == .ok { break }
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    // Not listening yet.
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }
}

enum FreePort {
    struct None: Error, CustomStringConvertible {
        var description: String { "no free TCP port on 127.0.0.1" }
    }

    /// A port that was free a moment ago.
    static func take() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw None() }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard bound else { throw None() }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
