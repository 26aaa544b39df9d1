import Act
import Decide

/// Turns the tree of a file into a `Configuration`; what is wrong goes to the log, and reading goes on.
///
/// Order matters: what is referred to is read first. People and channels, teams, gates and rollouts, then services with
/// their features, which say which service a journey belongs to, then journeys and checks.
final class ConfigurationReader {
    /// What a journey proves.
    struct Proof {
        var service: String
        var feature: FeaturePolicy
    }

    let log: ProblemLog
    let top: Section
    var people: [String: String] = [:]
    var channels: [String: AddressBook.Channel] = [:]
    var mail: MailServer?
    var teams: [String: TeamPolicy] = [:]
    var gates: [String: GatePolicy] = [:]
    var rollouts: [String: RolloutPolicy] = [:]
    var services: [String: ServiceSettings] = [:]
    var policies: [String: ServicePolicy] = [:]
    var components: [ComponentSettings] = []
    var flags: [DeclaredFlag] = []
    var journeys: [Field] = []
    var proofs: [String: Proof] = [:]
    var checks: [String: CheckDefinition] = [:]
    var checkPolicies: [String: CheckPolicy] = [:]
    /// Names that a list refers to although they are declared wrongly: that is told once, where they are declared.
    var declared: [String: Set<String>] = [:]
    /// Services that say their URL, account and synthetic secret, rightly or wrongly.
    var servicesWithURL: Set<String> = []
    var servicesWithAccount: Set<String> = []
    var servicesWithSecret: Set<String> = []
    var hasMailServer = false
    var guarded = GuardPolicy()

    init(_ root: ConfigurationNode, log: ProblemLog) {
        self.log = log
        top = Section(Field(key: "", name: "", node: root, keyPlace: root.place, log: log), "a mapping")
    }

    func read() -> Configuration {
        let server = readServer()
        readPeople()
        readChannels()
        readTeams()
        readGates()
        readRollouts()
        journeys = top["journeys"]?.entries("journey") ?? []
        declare("journey", journeys)
        readServices()
        readJourneys()
        for field in top["checks"]?.entries("check") ?? [] { readCheck(field) }
        var policy = readIncidents()
        let guardSettings = readGuard()
        top.finish()
        policy.services = policies
        policy.teams = teams
        policy.checks = checkPolicies
        policy.guarded = guarded
        return Configuration(
            policy: policy, checks: checks.values.sorted { $0.id < $1.id },
            addressBook: AddressBook(people: people, channels: channels, mail: mail), flags: flags,
            components: components, server: server, services: services, files: log.files,
            guardSettings: guardSettings)
    }

    func declare(_ what: String, _ fields: [Field]) {
        declared[what, default: []].formUnion(fields.map(\.name))
    }

    /// A reference to something that is declared, well or not.
    func reference(_ field: Field, _ what: String) -> String? {
        field.reference(what, among: declared[what] ?? [])
    }

    private func readIncidents() -> Policy {
        var policy = Policy()
        guard let field = top["incidents"] else { return policy }
        let section = Section(field, "a mapping")
        if let span = section["suspects-within"]?.span(.minutes(1) ... .days(30)) { policy.suspectWindow = span }
        if let span = section["page-again-after"]?.span(.seconds(10) ... .days(1)) { policy.repageAfter = span }
        if let count = section["page-again-at-most"]?.integer(0...100) { policy.repages = count }
        section.finish()
        return policy
    }
}
