import Decide

/// What others ask of a guard that runs in this process. Each call returns when it is done, or throws what is wrong:
/// a `Refusal`, or an error whose description is a sentence for whoever asked.
package protocol GuardControl: Sendable {
    func overview() async throws -> GuardOverview
    func connections() async throws -> GuardConnections
    /// Reads the configuration again. What is wrong in it is thrown, and those settings that are in force stay.
    func reload() async throws
    /// What was counted since this was last asked; every call is in exactly one answer.
    func takeSamples() async throws -> [QuerySample]
    /// New transactions wait; returns when those that run have ended. Past the deadline it is taken back, and throws.
    /// - Parameter database: nil: all.
    func pause(database: String?, deadline: Span) async throws
    /// - Parameter database: nil: all. One alone is refused while everything is paused: it would stay so.
    func resume(database: String?) async throws
    /// Pauses, points new servers at `target` (`host:port`, of one of the database's configured targets or of another
    /// server), and resumes: clients see a wait. Past the deadline everything is as before, and it throws.
    func switchTarget(database: String, to target: String, deadline: Span) async throws
    /// The rules by hand that hold from now on, in place of all earlier ones given here.
    func setRules(_ rules: [GuardRule]) async throws
    /// Baselines freeze: what is met from now on is new. Clients that name no release are counted under this one.
    /// - Parameter database: nil: all; `GuardPolicy.anyDatabase`: those that are not configured by name.
    func releaseStarted(_ release: String, database: String?) async throws
    /// The release's own traffic becomes what is usual.
    func releaseProven(database: String?) async throws
}
