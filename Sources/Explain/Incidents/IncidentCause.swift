import Decide

/// The change that an incident is put down to, and how sure that is.
package struct IncidentCause: Hashable, Sendable {
    package enum Certainty: String, Hashable, Sendable, Codable {
        /// By experiment: with the old variant the journey passes, with the new one it fails.
        case proven
        /// It was taken back during the incident; no experiment proved it.
        case undone
        /// Ranked first among the suspects, no more.
        case suspected
    }

    package var suspect: Suspect
    /// 1 is the most suspected.
    package var rank: Int
    package var certainty: Certainty

    package var change: Change { suspect.change }
}

extension Incident {
    /// What is proven, else what was undone, else the first suspect that no experiment cleared; nil: no idea.
    package var cause: IncidentCause? {
        func found(_ certainty: IncidentCause.Certainty, _ condition: (Suspect) -> Bool) -> IncidentCause? {
            suspects.firstIndex(where: condition).map {
                IncidentCause(suspect: suspects[$0], rank: $0 + 1, certainty: certainty)
            }
        }
        return found(.proven) { $0.isProven } ?? found(.undone) { undone[$0.change.id] != nil }
            ?? found(.suspected) { $0.verdict == nil }
    }

    /// Basis points of the active users who met the suspect change; nil when it is not known.
    package var exposedShare: Int? {
        usersActive > 0 && isExposureKnown ? usersExposed * 10_000 / usersActive : nil
    }

    /// Users can be counted only when the suspect is a flag's change; its service reports who met which variant.
    package var isExposureKnown: Bool { usersExposed > 0 || suspects.first?.change.flagStep != nil }

    /// `7 of 300 active users (2.33 %)`.
    package var exposureWords: String {
        guard isExposureKnown else { return "not known" }
        guard let share = exposedShare else { return "\(usersExposed) users, of an unknown number of active ones" }
        return "\(usersExposed) of \(usersActive) active users (\(percent(basisPoints: share)))"
    }
}
