/// What the server answered instead of a plan.
package struct ServerRefusal: Hashable, Sendable {
    /// SQLSTATE.
    package var state: String
    package var message: String
    /// In the statement's text, in code points from 1.
    package var character: Int?

    package init(state: String, message: String, character: Int? = nil) {
        self.state = state
        self.message = message
        self.character = character
    }
}

/// Turns the server's refusal into a finding. Whatever could not be proven blocks: silence is no pass.
struct RefusalReview {
    let refusal: ServerRefusal
    let isExported: Bool
    /// Names that a migration of this review makes.
    let newNames: Set<String>

    func objection() -> Objection {
        if isMadeByMigration { return needsMigration }
        if isExported, isArtefact { return artefact }
        let (rule, remedy) = ruleAndRemedy
        return Objection(
            rule: rule, severity: .block, position: refusal.character.map { .character($0) } ?? .start,
            what: "The server refuses it: \(refusal.message).",
            why: rule == .notReviewed
                ? "It could not be planned, so nothing is known about it [SQLSTATE \(refusal.state)]."
                : "Every call would fail with SQLSTATE \(refusal.state).",
            remedy: remedy)
    }

    private var ruleAndRemedy: (ReviewRule, String) {
        switch refusal.state {
        case "42601": (.syntaxError, "Correct it at the place shown.")
        case "42P01", "3F000":
            (
                .unknownTable,
                "Correct the name, give --search-path as the application has it, or put the migration first."
            )
        case "42703": (.unknownColumn, "Correct the name, or put the migration that adds it first.")
        case "42883", "42725":
            (.unknownFunction, "Correct the name, or cast the arguments and parameters ($1::bigint).")
        case "42501": (.permissionDenied, "Grant it, or review as the application's role (--role).")
        case "42P18": (.invalidStatement, "Cast the parameter, so that its type is known: $1::text.")
        case "57014", "55P03", "55000", "25006":
            (.notReviewed, "Review against a quiet copy that takes writes, or give --timeout more seconds.")
        case let state where ["08", "53", "57", "58", "XX"].contains(String(state.prefix(2))):
            (.notReviewed, "See the server's log, and review again.")
        default: (.invalidStatement, "Correct it as the message says.")
        }
    }

    /// Normalised texts have lost literals that grammar or types need: `interval $1`, `$1 + $2`.
    private var isArtefact: Bool {
        switch refusal.state {
        case "42P18", "42725", "42P08", "22P02": true
        case "42601": refusal.message.contains("\"$")
        case "42883": refusal.message.contains("unknown")
        default: false
        }
    }

    private var artefact: Objection {
        Objection(
            rule: .notReviewed, severity: .warn, position: .start,
            what: "The exported text cannot be prepared: \(refusal.message).",
            why: "It ran in the application; what is missing are literals or types that the export replaced by "
                + "parameters. Its plan was not looked at [SQLSTATE \(refusal.state)].",
            remedy: "Put the statement into a .sql file with casts ($1::interval) to have it reviewed.")
    }

    private var isMadeByMigration: Bool {
        guard ["42P01", "42703"].contains(refusal.state) else { return false }
        let words = refusal.message.split { !($0.isLetter || $0.isNumber || $0 == "_") }
        return words.contains { newNames.contains(String($0)) }
    }

    private var needsMigration: Objection {
        Objection(
            rule: .needsMigration, severity: .warn,
            position: refusal.character.map { .character($0) } ?? .start,
            what: "Needs what a migration of this review makes: \(refusal.message).",
            why: "Without it the server cannot plan the statement, so its plan was not looked at.",
            remedy: "Apply the migration to the copy first, or review with --run-rolled-back, which does it in a "
                + "transaction that is rolled back.")
    }
}
