import Decide
import HTTPTypes
import Logging
import Record

/// What people may do with the guard of this process, by page or by API; noted as a change when it is done.
enum GuardAct {
    /// How long running transactions may take to end before a pause is taken back.
    static let deadlines: ClosedRange<Int64> = 100...60_000
    static let standard: Span = .seconds(2)

    static func control(_ services: WebServices) throws -> any GuardControl {
        guard let control = services.guardControl else {
            throw Problem.notFound("guard in this process: 'mainstay.yaml' has no key 'guard'")
        }
        return control
    }

    static func overview(_ services: WebServices) async throws -> GuardOverview {
        let control = try control(services)
        return try await asking { try await control.overview() }
    }

    static func connections(_ services: WebServices) async throws -> GuardConnections {
        let control = try control(services)
        return try await asking { try await control.connections() }
    }

    static func reload(_ services: WebServices, by actor: Actor) async throws {
        let control = try control(services)
        try await asking { try await control.reload() }
        await note("The guard read its configuration again", services, by: actor)
    }

    static func pause(
        _ database: String?, deadline: Span = standard, _ services: WebServices, by actor: Actor
    ) async throws {
        let control = try control(services)
        try await known(database, control)
        try await asking { try await control.pause(database: database, deadline: deadline) }
        await note("The guard paused \(words(database))", services, by: actor)
    }

    static func resume(_ database: String?, _ services: WebServices, by actor: Actor) async throws {
        let control = try control(services)
        try await known(database, control)
        try await asking { try await control.resume(database: database) }
        await note("The guard resumed \(words(database))", services, by: actor)
    }

    static func switchTarget(
        _ database: String, to target: String, deadline: Span, _ services: WebServices, by actor: Actor
    ) async throws {
        let control = try control(services)
        try await known(database, control)
        try await asking { try await control.switchTarget(database: database, to: target, deadline: deadline) }
        await note("The guard switched \(words(database)) to \(withoutSecrets(target))", services, by: actor)
    }

    /// The guard takes `host:port` only; should a URL ever get as far as the timeline, its user and password do not.
    static func withoutSecrets(_ target: String) -> String {
        let place = target.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        let path = place.prefix { $0 != "?" }
        return String(
            path.split(separator: "/", omittingEmptySubsequences: true).drop { $0.hasSuffix(":") }
                .joined(separator: "/"))
    }

    private static func words(_ database: String?) -> String { database.map { "database \($0)" } ?? "all databases" }

    private static func known(_ database: String?, _ control: any GuardControl) async throws {
        guard let database else { return }
        let names = try await asking { try await control.overview() }
        let known = Set(names.databases).union(names.pools.map(\.database))
        guard known.contains(database) || known.contains("*") else {
            throw Problem.notFound("database '\(database)' in the guard")
        }
    }

    /// What the guard says of its own is for whoever asked: running transactions did not end, no server answers.
    private static func asking<Value: Sendable>(_ act: () async throws -> Value) async throws -> Value {
        do {
            return try await act()
        } catch let error as CancellationError {
            throw error
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Problem(.conflict, "The guard did not do it: \(error)")
        }
    }

    /// The guard does its work when Mainstay's database does not: then it is done, and only not noted.
    private static func note(_ title: String, _ services: WebServices, by actor: Actor) async {
        let record = services.record
        let (now, known) = (record.now(), record.policy.services.keys.sorted())
        let change = Change(
            id: "guard:\(title.filter { $0.isLetter || $0.isNumber })@\(now.milliseconds)", kind: .infrastructure,
            service: known.count == 1 ? known[0] : "guard", feature: nil, title: title, actor: actor, reason: nil,
            at: now)
        do {
            _ = try await record.note(change: change)
        } catch {
            services.logger.error(
                "what was done with the guard could not be noted",
                metadata: ["change": "\(title)", "by": "\(actor.name)", "cause": "\(error)"])
        }
    }
}
