import Act
import Foundation
import Testing

@testable import App

/// What a file of authorities looks like. Nobody could trust it.
enum CertificateFixture {
    static let text = "Issued by nobody\n-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
}

/// How mail is protected on its way, as the file says it.
struct MailConfigurationTests {
    private static func withFile<Value>(_ content: String?, _ body: (String) throws -> Value) throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mainstay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        try content?.write(to: folder.appendingPathComponent("ca.pem"), atomically: true, encoding: .utf8)
        return try body(folder.path)
    }

    private static func text(_ settings: String) -> String {
        """
        people: { ada: ada@example.test }
        teams: { shop: [ ada ] }
        channels: { email: { smtp: "smtp://mail.test:587", from: m@example.test, \(settings) } }
        services: { shop: { team: shop } }
        """
    }

    private static func load(_ settings: String, folder: String) throws(ConfigurationErrors) -> Configuration {
        try ConfigurationFixture.load([("mainstay.yaml", text(settings))], folder: folder)
    }

    @Test("the file of authorities is found beside the configuration, and a change of it is a reason to load again")
    func file() throws {
        try Self.withFile(CertificateFixture.text) { folder in
            let configuration = try Self.load("ca-file: ca.pem", folder: folder)
            #expect(configuration.addressBook.mail?.caFile == "\(folder)/ca.pem")
            #expect(configuration.files.contains("\(folder)/ca.pem"))
        }
    }

    @Test(
        "TLS is required with a password or an authority, unless it is said otherwise",
        arguments: [
            ("timeout: 5s", false), ("user: m, password: hunter2", true), ("ca-file: ca.pem", true),
            ("tls: required", true), ("ca-file: ca.pem, tls: when-offered", false),
            ("user: m, password: hunter2, tls: when-offered", false),
        ])
    func required(settings: String, isRequired: Bool) throws {
        try Self.withFile(CertificateFixture.text) { folder in
            let mail = try Self.load(settings, folder: folder).addressBook.mail
            #expect(mail?.requireTLS == isRequired)
        }
    }

    @Test(
        "a file that nobody could trust is told with its line",
        arguments: [
            (nil, "cannot be read: there is no such file"), ("", "holds no certificate in PEM form"),
            ("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "holds no certificate in PEM form"),
            ("-----BEGIN CERTIFICATE-----\nMAA=\n", "is cut off"),
            ("-----BEGIN CERTIFICATE-----\nMAA=\n" + CertificateFixture.text, "is cut off"),
            (CertificateFixture.text + "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n", "(the 2. in"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "is damaged (the 1. in the file)"),
            (String(repeating: "x", count: (1 << 20) + 1), "is larger than 1024 KiB"),
        ] as [(String?, String)])
    func unfit(content: String?, words: String) throws {
        try Self.withFile(content) { folder in
            do {
                _ = try Self.load("ca-file: ca.pem", folder: folder)
                Issue.record("it was accepted")
            } catch let error as ConfigurationErrors {
                #expect(error.problems.count == 1)
                let problem = error.problems.first?.description ?? ""
                #expect(problem.hasPrefix("mainstay.yaml:3:83: channels.email.ca-file: 'ca.pem' "), "\(problem)")
                #expect(problem.contains(words), "\(problem)")
            }
        }
    }

    @Test("a URL of a database is looked at where it is written, and none of it is repeated")
    func database() {
        let service = """
            server: { database: "postgres://m:hunter2@db.test/m?sslmod=require" }
            services:
              shop:
                team: shop
                databases: { main: "postgres://m:hunter2@db.test/m?sslrootcert=/ca.pem" }
            """
        #expect(
            ConfigurationFixture.problems(ConfigurationFixture.people + service) == [
                "mainstay.yaml:4:21: server.database: the PostgreSQL URL has an unknown parameter 'sslmod'; did you mean 'sslmode'?",
                "mainstay.yaml:8:24: services.shop.databases.main: sslrootcert in the PostgreSQL URL has no effect without sslmode=verify-full beside it",
            ])
    }
}
