import Decide

extension CheckFailure {
    /// What went wrong, with the step's name told apart from what it found: steps are named for what must be true, and
    /// "the row is in the database: n is 0" would read as if it were.
    package var words: String { step.map { "“\($0)” failed: \(message)" } ?? message }
}

extension Alert {
    /// What is wrong, as `CheckFailure.words` puts it.
    package var words: String {
        guard let step = steps.first(where: { $0.failure != nil }), let failure = step.failure else { return summary }
        return "“\(step.name)” failed: \(failure)"
    }
}
