import Decide
import SQL

extension Record {
    /// All flags of a service as clients are to serve them now.
    package func flagSet(service: String) async throws -> FlagSet {
        let flags = try await things(.flag, service: service, limit: 2_000).compactMap(\.thing.flag)
        return FlagSet(
            // Each flag's version only grows, so their sum grows with every change of any.
            version: flags.reduce(0) { $0 + $1.version },
            flags: Dictionary(flags.map { ($0.key, $0.served) }, uniquingKeysWith: { $1 }),
            versions: Dictionary(flags.map { ($0.key, $0.version) }, uniquingKeysWith: { $1 }))
    }
}
