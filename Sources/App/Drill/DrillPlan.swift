import Decide

/// An outage drill: what is released, how the crowd behaves, and what must come of it.
package struct DrillPlan: Sendable, Equatable {
    /// What the person on call does when paged.
    package enum OnCall: String, Sendable, CaseIterable {
        case nothing
        /// Opens the undo link of the mail.
        case undo
    }

    /// When the drill is over.
    package enum End: String, Sendable, CaseIterable {
        case resolved, completed
    }

    package struct Stage: Sendable, Equatable {
        package var share: String
        package var hold: String
    }

    package struct Release: Sendable, Equatable {
        package var feature: String
        package var variant: String
        package var commit: String
        package var author: String
        /// Attach a passing test report and an approval.
        package var evidence: Bool
        /// Force it past the gate, with this reason.
        package var force: String?
    }

    package struct Expectations: Sendable, Equatable {
        package var blockedByGate: Bool?
        package var detectedWithin: Span?
        package var pagedWithin: Span?
        package var undoneWithin: Span?
        package var verifiedWithin: Span?
        /// Basis points of active users.
        package var affectedShareAtMost: Int?
        package var suspectRank: Int?
        package var proof: Bool?
        package var wrongUndos: Int?
        package var lostEvents: Int?
        /// Basis points that the rollout must reach.
        package var reaches: Int?
    }

    package struct Original: Sendable, Equatable {
        package struct Moment: Sendable, Equatable {
            package var after: Span
            package var what: String
            /// Mainstay's own moment that stands beside it: `served`, `detected`, `paged`, `undone`, `verified`.
            package var beside: String?
        }

        package var name: String
        package var affectedShare: Int
        package var moments: [Moment]

        func after(_ beside: String) -> Span? { moments.first { $0.beside == beside }?.after }
    }

    package var scenario: String
    package var title: String
    package var users: Int
    /// Basis points of users who use the feature.
    package var featureUsers: Int
    package var requestsPerSecond: Int
    package var checkInterval: Span
    package var journeys: Bool
    package var stages: [Stage]
    package var release: Release
    package var onCall: OnCall
    package var end: End
    package var limit: Span
    package var expect: Expectations
    package var original: Original?
}
