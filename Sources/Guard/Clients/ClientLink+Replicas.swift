import Decide
import NIOCore
import PGWire

/// Which transactions go to servers that only read.
extension ClientLink {
    /// The pool of the next transaction.
    func route(_ facts: TextFacts?) throws(WireError) -> Pool? {
        guard let home, let conversation, conversation.sharesStatements, core.settings.hasReplicas else { return home }
        let use: ReplicaUse
        if let replicaUse, replicaUse.version == core.settingsVersion {
            use = replicaUse.use
        } else {
            use = core.settings.database(home.key.database)?.replicas?.use(by: identity()) ?? .never
            replicaUse = (use, core.settingsVersion)
        }
        switch use {
        case .never: return home
        case .reads: guard let facts, try conversation.onlyReads(facts, input) else { return home }
        case .always: break
        }
        guard let replicas = core.replicas(of: home), replicas.downUntil <= core.now else { return home }
        return replicas
    }
}
