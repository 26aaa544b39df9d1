import Decide
import Foundation
import Logging
import Record

/// What has to be there before anything can be used: the first administrator, the services' tokens, declared flags.
/// Doing it again changes nothing.
struct Beginnings: Sendable {
    static let administrator = "admin"

    let record: Record
    let configuration: Configuration
    let environment: [String: String]
    let logger: Logger

    func prepare() async throws {
        try await firstAdministrator()
        if let token = environment["MAINSTAY_ADMIN_TOKEN"], !token.isEmpty {
            try await record.adoptToken(
                token, name: "from the environment", account: Self.administrator, scopes: [.all])
        }
        for service in configuration.services.values.sorted(by: { $0.name < $1.name }) {
            try await token(of: service)
        }
        try await declareFlags(configuration.flags)
    }

    func declareFlags(_ flags: [DeclaredFlag]) async throws {
        for flag in flags {
            try await record.apply(
                Subject(.flag, Flag.id(flag.service, flag.key)),
                .flag(.declared(service: flag.service, key: flag.key, flag.definition)), by: .mainstay)
        }
    }

    private func firstAdministrator() async throws {
        guard try await !record.hasAccounts() else { return }
        let given = environment["MAINSTAY_ADMIN_PASSWORD"].flatMap { $0.isEmpty ? nil : $0 }
        let password = given ?? String(Secrets.random().prefix(20))
        guard try await makeAccount(Self.administrator, .admin, password), given == nil else { return }
        let path = configuration.server.dataDirectory + "/first-administrator.txt"
        let text = "name: \(Self.administrator)\npassword: \(password)\n"
        try DataDirectory.write(Data(text.utf8), to: path)
        logger.notice(
            "the first administrator was made; sign in, change the password, remove the file",
            metadata: ["file": "\(path)"])
    }

    /// A service's own account can only do what its token's scope says.
    private func token(of service: ServiceSettings) async throws {
        guard let token = service.token else { return }
        let account = "service-\(service.name)"
        if try await !record.accounts().contains(where: { $0.name == account }) {
            try await makeAccount(account, .viewer, Secrets.random())
        }
        try await record.adoptToken(token, name: service.name, account: account, scopes: [.service])
    }

    /// False when another process, started at the same moment over the same database, was first.
    @discardableResult
    private func makeAccount(_ name: String, _ role: Role, _ password: String) async throws -> Bool {
        do {
            try await record.createAccount(name, role: role, password: password, by: .mainstay)
            return true
        } catch let refusal as Refusal where refusal.code == .conflict {
            return false
        }
    }
}
