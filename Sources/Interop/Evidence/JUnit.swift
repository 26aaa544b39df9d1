/// Why a test report cannot be read.
package struct JUnitError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Both count from 1.
    package var line: Int
    package var column: Int
    package var message: String

    package init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }

    package var description: String { "line \(line), column \(column): \(message)" }
}

/// The test reports that JUnit's ant task invented and every tool writes in its own way.
///
/// Test cases are counted, totals are not believed, with one exception: a suite that declares more failures and errors
/// than its cases show (a package that did not build has no case) makes the report failing.
package enum JUnit {
    package static let byteLimit = 8 << 20
    package static let caseLimit = 100_000

    package static func parse(_ bytes: [UInt8]) throws(JUnitError) -> JUnitReport {
        guard bytes.count <= byteLimit else {
            throw JUnitError(line: 1, column: 1, message: "the report is larger than \(byteLimit >> 20) MiB")
        }
        do throws(XMLScanner.Failure) {
            var reader = JUnitReader()
            var scanner = try XMLScanner(bytes)
            var start = scanner.offset
            while let token = try scanner.next() {
                try reader.take(token, at: start)
                start = scanner.offset
            }
            return reader.report
        } catch {
            let place = XMLScanner.position(of: error.offset, in: bytes)
            throw JUnitError(line: place.line, column: place.column, message: error.message)
        }
    }
}

/// Builds the report from tokens.
private struct JUnitReader {
    private struct Suite {
        var path: String
        /// `failures` and `errors` as the suite declares them.
        var declared: Int
        /// Elements that show them, in it and in the suites inside it.
        var shown = 0
        /// What suites inside it declared and did not show.
        var missing = 0
    }

    private struct OpenCase {
        var value: JUnitCase
        /// Elements inside the case that are open; its results are its direct children.
        var depth = 0
        /// The text of the result whose message is still to be found.
        var text: String?
    }

    private static let titleLimit = 300
    private static let messageLimit = 500
    private static let messageCount = 10

    private(set) var report = JUnitReport()
    private var suites: [Suite] = []
    private var open: OpenCase?
    /// Elements that are neither suites nor cases, outside of any case.
    private var otherDepth = 0
    private var hasRoot = false

    mutating func take(_ token: XMLScanner.Token, at offset: Int) throws(XMLScanner.Failure) {
        switch token {
        case .start(let element): try start(element, at: offset)
        case .end(let name): end(name)
        case .text(let text): open?.text? += text
        }
    }

    private mutating func start(_ element: XMLScanner.Element, at offset: Int) throws(XMLScanner.Failure) {
        let isSuite = element.name == "testsuites" || element.name == "testsuite"
        guard hasRoot || isSuite else {
            throw XMLScanner.Failure(
                message: "a test report begins with <testsuites> or <testsuite>, not <\(element.name)>", offset: offset)
        }
        hasRoot = true
        if open != nil {
            startInCase(element)
        } else if otherDepth > 0 {
            otherDepth += 1
        } else if isSuite {
            let declared = count(element.attributes["failures"]) + count(element.attributes["errors"])
            let path = [suites.last?.path, element.attributes["name"]].compactMap(\.self).filter { !$0.isEmpty }
            suites.append(Suite(path: Self.line(path.joined(separator: "/"), Self.titleLimit), declared: declared))
        } else if element.name == "testcase" {
            guard report.cases.count < JUnit.caseLimit else {
                throw XMLScanner.Failure(message: "there are more than \(JUnit.caseLimit) test cases", offset: offset)
            }
            open = OpenCase(value: newCase(element.attributes))
        } else {
            if element.name == "failure" || element.name == "error" { note(element) }
            otherDepth = 1
        }
    }

    private mutating func startInCase(_ element: XMLScanner.Element) {
        guard var current = open else { return }
        current.depth += 1
        if current.depth == 1, let outcome = Self.outcomes[element.name] {
            if outcome != .skipped { suites[suites.count - 1].shown += 1 }
            // The first failure speaks for the case; a skip never hides one.
            if !current.value.isFailing {
                current.value.outcome = outcome
                current.value.message = element.attributes["message"].map { Self.line($0, Self.messageLimit) }
                current.text = current.value.message?.isEmpty ?? true ? "" : nil
            }
        }
        open = current
    }

    /// `flakyFailure` and `flakyError` are not here: that case passed when it was tried again.
    private static let outcomes: [String: JUnitCase.Outcome] = [
        "failure": .failed, "rerunFailure": .failed, "error": .error, "rerunError": .error, "skipped": .skipped,
    ]

    /// Some tools say it by an attribute and no element.
    private static let statuses: [String: JUnitCase.Outcome] = [
        "failed": .failed, "failure": .failed, "fail": .failed, "error": .error, "notrun": .skipped,
        "skipped": .skipped, "disabled": .skipped, "ignored": .skipped,
    ]

    private func newCase(_ attributes: [String: String]) -> JUnitCase {
        let words = [attributes["status"], attributes["result"]].compactMap { $0?.lowercased() }
        let stated = words.compactMap { Self.statuses[$0] }.max { $0 == .skipped && $1 != .skipped }
        return JUnitCase(
            suite: suites.last?.path ?? "",
            className: Self.line(attributes["classname"] ?? attributes["class"] ?? "", Self.titleLimit),
            name: Self.line(attributes["name"] ?? "", Self.titleLimit), outcome: stated ?? .passed)
    }

    private mutating func end(_ name: String) {
        if var current = open {
            if current.depth == 0 {
                report.cases.append(current.value)
                open = nil
                return
            }
            current.depth -= 1
            if current.depth == 0, let text = current.text {
                let line = Self.line(text, Self.messageLimit)
                current.value.message = line.isEmpty ? nil : line
                current.text = nil
            }
            open = current
        } else if otherDepth > 0 {
            otherDepth -= 1
        } else {
            endSuite()
        }
    }

    private mutating func endSuite() {
        let suite = suites.removeLast()
        let missing = max(0, suite.declared - suite.shown - suite.missing)
        if missing > 0 {
            let name = suite.path.isEmpty ? "the report" : suite.path
            let kind = missing == 1 ? "error" : "errors"
            note(missing, "\(name) declares \(missing) \(kind) outside of its test cases")
        }
        if !suites.isEmpty {
            suites[suites.count - 1].shown += suite.shown
            suites[suites.count - 1].missing += suite.missing + missing
        }
    }

    /// A failure of a whole suite.
    private mutating func note(_ element: XMLScanner.Element) {
        let place = suites.last.map(\.path) ?? ""
        let message = Self.line(element.attributes["message"] ?? element.name, Self.messageLimit)
        note(1, place.isEmpty ? message : "\(place): \(message)")
        if !suites.isEmpty { suites[suites.count - 1].shown += 1 }
    }

    private mutating func note(_ count: Int, _ message: String) {
        report.suiteErrors += min(count, Int(Int32.max))
        if report.suiteErrorMessages.count < Self.messageCount { report.suiteErrorMessages.append(message) }
    }

    private func count(_ text: String?) -> Int { min(max(0, text.flatMap { Int($0) } ?? 0), JUnit.caseLimit) }

    /// The first line that says something, cut.
    private static func line(_ text: String, _ limit: Int) -> String {
        let lines = text.split { $0.isNewline }
        let line = lines.first { !$0.allSatisfy(\.isWhitespace) } ?? ""
        let trimmed = line.drop(while: \.isWhitespace)
        return trimmed.count > limit ? "\(trimmed.prefix(limit - 1))…" : String(trimmed)
    }
}
