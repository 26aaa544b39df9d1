import Foundation

/// A certificate authority of a test's own, made by the `openssl` program. Nobody else trusts it, and all of it goes
/// with the test's directory.
package struct TestAuthority: Sendable {
    /// Paths of PEM files.
    package struct Issued: Sendable {
        package let certificate: String
        /// Readable by its owner only.
        package let key: String
    }

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Whether there is an `openssl`.
    package static let isPossible = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .contains { FileManager.default.isExecutableFile(atPath: "\($0)/openssl") }

    /// Path of the PEM file that makes somebody trust it.
    package let certificate: String
    private let folder: String

    /// - Parameters:
    ///   - directory: a temporary one; gets a folder with the authority's name.
    package static func make(_ name: String = "authority", in directory: String) async throws -> TestAuthority {
        let authority = TestAuthority(certificate: "\(directory)/\(name)/ca.pem", folder: "\(directory)/\(name)")
        try FileManager.default.createDirectory(atPath: authority.folder, withIntermediateDirectories: true)
        // A configuration of its own: the system's may differ from machine to machine.
        let settings = """
            [req]
            distinguished_name = name
            prompt = no
            x509_extensions = authority
            [name]
            CN = Mainstay test \(name)
            [authority]
            basicConstraints = critical, CA:TRUE
            keyUsage = critical, keyCertSign, cRLSign
            subjectKeyIdentifier = hash
            """
        try authority.write(settings, to: "ca.cnf")
        try await authority.openssl(
            ["req", "-x509", "-config", "ca.cnf", "-days", "2", "-out", "ca.pem"] + newKey("ca.key"))
        return authority
    }

    /// Makes a server's key and certificate.
    ///
    /// - Parameter names: as openssl writes them: `DNS:localhost`, `IP:127.0.0.1`.
    package func issue(
        _ file: String = "server", for names: [String] = ["DNS:localhost", "IP:127.0.0.1"]
    ) async throws -> Issued {
        let settings = """
            [req]
            distinguished_name = name
            prompt = no
            [name]
            CN = Mainstay test server
            [server]
            basicConstraints = CA:FALSE
            keyUsage = digitalSignature
            extendedKeyUsage = serverAuth
            subjectAltName = \(names.joined(separator: ","))
            """
        try write(settings, to: "\(file).cnf")
        try await openssl(
            ["req", "-new", "-config", "\(file).cnf", "-out", "\(file).csr"] + Self.newKey("\(file).key"))
        try await openssl([
            "x509", "-req", "-in", "\(file).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "\(file).cnf", "-extensions", "server", "-out", "\(file).pem",
        ])
        return Issued(certificate: "\(folder)/\(file).pem", key: "\(folder)/\(file).key")
    }

    private static func newKey(_ file: String) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file]
    }

    private func write(_ text: String, to name: String) throws {
        try "\(text)\n".write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }

    private func openssl(_ arguments: [String]) async throws {
        let log = "\(folder)/openssl.log"
        guard FileManager.default.createFile(atPath: log, contents: nil), let output = FileHandle(forWritingAtPath: log)
        else { throw Failure(description: "\(log) cannot be written") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder, isDirectory: true)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        let status = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                continuation.resume(throwing: error)
            }
        }
        try output.close()
        guard status == 0 else {
            let said = try String(contentsOfFile: log, encoding: .utf8)
            throw Failure(description: "openssl \(arguments.joined(separator: " ")): \(said)")
        }
    }
}
