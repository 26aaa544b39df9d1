import Decide

/// What a test run reported, case by case.
package struct JUnitReport: Hashable, Sendable {
    package var cases: [JUnitCase]
    /// Errors that belong to no test case: a package that did not build, a suite whose set-up failed. A report with one
    /// is not a pass, however many of its cases are.
    package var suiteErrors: Int
    /// One sentence for each of the first few of them.
    package var suiteErrorMessages: [String]

    package init(cases: [JUnitCase] = [], suiteErrors: Int = 0, suiteErrorMessages: [String] = []) {
        self.cases = cases
        self.suiteErrors = suiteErrors
        self.suiteErrorMessages = suiteErrorMessages
    }
}

package struct JUnitCase: Hashable, Sendable {
    package enum Outcome: String, Hashable, Sendable, CaseIterable {
        /// Also when it passed only after it was tried again.
        case passed
        case failed
        /// It could not be run to its end: an exception, a failed set-up, a crash.
        case error
        /// Proves nothing.
        case skipped
    }

    /// Names of the suites around it, outermost first, joined by `/`.
    package var suite: String
    package var className: String
    package var name: String
    package var outcome: Outcome
    /// What went wrong, or why it was skipped; one line.
    package var message: String?

    package init(suite: String, className: String, name: String, outcome: Outcome, message: String? = nil) {
        self.suite = suite
        self.className = className
        self.name = name
        self.outcome = outcome
        self.message = message
    }

    package var isFailing: Bool { outcome == .failed || outcome == .error }

    /// `Class.name`, or the suite's name where the report names no class.
    package var title: String {
        let group = className.isEmpty ? suite : className
        return group.isEmpty ? name : "\(group).\(name)"
    }
}

extension JUnitReport {
    private static let namedFailures = 50

    /// The report as the gate reads it.
    /// - Parameters:
    ///   - source: the file's name.
    ///   - digest: SHA-256 of the file's bytes, hexadecimal: whoever has the bytes computes it.
    ///   - matcher: cases count as the feature's when suite, class or name contains it, in any case; an empty one
    ///     matches nothing, because a report that proves every feature proves none.
    package func evidence(
        commit: String, source: String, digest: String, tests matcher: String
    ) -> TestEvidence {
        let wanted = matcher.lowercased()
        let failing = cases.filter(\.isFailing)
        let about = cases.filter { $0.outcome != .skipped && $0.isAbout(wanted) }
        let names = suiteErrorMessages + failing.map(\.title)
        return TestEvidence(
            commit: commit, source: source, digest: digest, cases: cases.count,
            skipped: cases.count { $0.outcome == .skipped }, failing: Array(names.prefix(Self.namedFailures)),
            failed: failing.count + suiteErrors, featureCases: about.count,
            featureFailed: about.count(where: \.isFailing))
    }
}

extension JUnitCase {
    fileprivate func isAbout(_ wanted: String) -> Bool {
        !wanted.isEmpty && [suite, className, name].contains { $0.lowercased().contains(wanted) }
    }
}
