import Decide

extension Record {
    /// The rules for guards that people wrote, as they are in force.
    package func guardRules() async throws -> GuardRules {
        try await thing(GuardRules.subject)?.guardRules ?? GuardRules()
    }

    package func query(_ database: String, _ query: QueryKey?) async throws -> QueryState? {
        try await thing(Subject(.query, QueryState.id(database, query)))?.query
    }
}
