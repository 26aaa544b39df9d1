import Decide
import Record

/// Everything that programs can ask for.
enum API {
    static let endpoints: [Endpoint] =
        FlagAPI.endpoints + OFREPAPI.endpoints + ExposureAPI.endpoints + ReleaseAPI.endpoints + RolloutAPI.endpoints
        + IncidentAPI.endpoints + TimelineAPI.endpoints + CheckAPI.endpoints + ChangeAPI.endpoints
        + QueryAPI.endpoints + GuardAPI.endpoints + GuardRuleAPI.endpoints + ReportAPI.endpoints + ServiceAPI.endpoints
        + SessionAPI.endpoints + AccountAPI.endpoints + TokenAPI.endpoints + HealthAPI.endpoints + MetricsAPI.endpoints
        + OpenAPI.endpoints

    static let schemas: [String: JSONValue] = [
        Flag.schemas, OFREPAPI.schemas, Release.schemas, Rollout.schemas, Incident.schemas, QueryDecision.schemas,
        GuardRuleAPI.schemas,
        TimelineEntry.schemas,
        CheckResult.schemas, Change.schemas, ReportAPI.schemas, ServiceAPI.schemas, SessionAPI.schemas,
        QuerySchemas.all, GuardAPI.schemas, AccountAPI.schemas, TokenAPI.schemas, HealthAPI.schemas, OpenAPI.schemas,
    ].reduce(into: [:]) { $0.merge($1) { $1 } }
}
