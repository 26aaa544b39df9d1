/// One query of one guarded database: whether guards hold it back, and who was told.
///
/// ```
///             a guard holds it back              no guard holds it any more
///   calm ────────────────────────────▶ held ──────────────────────────────▶ resting
///    ▲                                  ▲                                      │ │
///    │                                  └───── held back again, same alert ────┘ │
///    └────────────────────── quiet for `rest`: the alert is resolved ◀───────────┘
/// ```
/// Invariants:
/// 1. One alert fires at a time, from the first hold that alarms to `rest` after the last hold has ended. A query whose
///    limit has ended often trips again within a minute or two, because the release that sends it is still there:
///    resolving at once would page anew each time.
/// 2. Held back again while its alert fires, it is added to the incident that is open, which pages nobody; when a
///    person has closed that incident, it is a new one.
/// 3. What a guard only observed alarms nobody unless the policy says so, and a crowd only when it stays for
///    `crowdPatience`: a good query that waits for a minute is not worth a person's sleep.
/// 4. A hold of which nothing was heard for `silence` is over: its guard is gone, and its limits with it. Guards
///    confirm what they hold more often than that.
/// 5. At most `holdLimit` holds, and of each kind of line at most one in its time; what was not told is counted, and
///    told with the next.
package struct QueryState: Hashable, Sendable, Codable {
    /// One guard's hold on the query, for one user of the database.
    package struct Hold: Hashable, Sendable, Codable {
        package enum Kind: String, Hashable, Sendable, Codable {
            /// To a few servers.
            case limited
            /// Turned away altogether.
            case refused
        }

        package var kind: Kind
        /// `user@guard`
        package var place: String
        /// What it began with; its limit and its end are kept up to date.
        package var decision: QueryDecision
        package var heardAt: Instant

        package var since: Instant { decision.at }
    }

    /// When a kind of line was last written, and how many were not since.
    package struct Told: Hashable, Sendable, Codable {
        package var at: Instant
        package var untold: Int
    }

    package static let holdLimit = 32
    package static let rest: Span = .minutes(5)
    package static let crowdPatience: Span = .minutes(2)
    package static let silence: Span = .minutes(10)
    /// Lines on what was done, one a minute; on what was seen or observed, one in ten.
    static let lineEvery: Span = .minutes(1)
    static let noticeEvery: Span = .minutes(10)

    /// `database/fingerprint`, or `database/none` for what is about no single query.
    package var id: String
    package var database: String
    /// Of the desk where its alert goes.
    package var service: String
    package var feature: String
    package var holds: [Hold]
    /// It fires now.
    package var alert: Alert?
    /// When the alert was last handed to its desk.
    package var alertedAt: Instant?
    /// Start of the first hold since it was last calm.
    package var since: Instant?
    /// Since when no guard has held it; nil while one does, and when it is calm.
    package var restingSince: Instant?
    /// How often it was held back: since it was last calm, and ever.
    package var recentTrips: Int
    package var trips: Int
    /// The latest that began or ended a hold.
    package var last: QueryDecision?
    /// By kind of line.
    package var told: [String: Told]

    init(id: String, database: String) {
        self.id = id
        self.database = database
        service = ""
        feature = ""
        holds = []
        recentTrips = 0
        trips = 0
        told = [:]
    }

    package static func id(_ database: String, _ query: QueryKey?) -> String { "\(database)/\(query?.hex ?? "none")" }

    package static func subject(of decision: QueryDecision) -> Subject {
        Subject(.query, id(decision.database, decision.query))
    }

    /// A guard really holds it back: it does not only observe.
    package var isHeldBack: Bool { holds.contains { !$0.decision.isObserved } }

    package var status: String {
        if isHeldBack { return "held" }
        return holds.isEmpty ? since == nil ? "calm" : "resting" : "observed"
    }
}

package enum QueryEvent: Hashable, Sendable, Codable {
    /// - Parameter place: which guard, where there are several.
    case decided(QueryDecision, place: String = "")
    /// A guard still holds it back, as this decision says: told now and then, so that a guard that died is noticed, and
    /// what it had decided while nothing could be recorded is made up for.
    case confirmed(QueryDecision, place: String = "")
}
