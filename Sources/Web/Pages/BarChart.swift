import Decide
import Explain

/// A check's recent past as bars, with the changes as lines across: drawn on the server, without script or styles.
///
/// State shows by shape as well as by colour: a pass is a low bar, a failure a high one, both a low one with a cap, and
/// a silent stretch only a stroke at the foot. Positions are percentages, so that it fits any width.
struct BarChart {
    static let height = 30

    var bars: [CheckBar]
    var marks: [ChangeMark]
    /// What it shows, for those who cannot see it.
    var label: String

    init(_ name: String, _ bars: [CheckBar], _ marks: [ChangeMark]) {
        self.bars = bars
        self.marks = marks
        label = BarChart.summary(name, bars)
    }

    private static func summary(_ name: String, _ bars: [CheckBar]) -> String {
        let (runs, failures) = bars.reduce((0, 0)) { ($0.0 + $1.runs, $0.1 + $1.failures) }
        guard runs > 0 else { return "\(name): no run in this time" }
        let last = bars.last { $0.failures > 0 }.map { ", the last at \(Words.clock($0.at)) UTC" } ?? ""
        return
            "\(name): \(Words.count(runs, "run", "runs")), \(failures == 0 ? "none" : String(failures)) failed\(last)"
    }

    var svg: String {
        let width = 100 / Double(max(1, bars.count))
        var svg =
            "<svg class=\"bars\" width=\"100%\" height=\"\(Self.height)\" role=\"img\" aria-label=\"\(HTMLText.escape(label))\">"
        for (index, bar) in bars.enumerated() {
            svg += Self.bar(bar, at: Double(index) * width + width * 0.12, width: width * 0.76)
        }
        for mark in marks {
            let x = Self.percent(mark.position * 100)
            svg +=
                "<line class=\"when\(mark.isUndo ? " undo" : "")\" x1=\"\(x)\" x2=\"\(x)\" y1=\"0\" y2=\"\(Self.height)\"/>"
        }
        return svg + "</svg>"
    }

    private static func bar(_ bar: CheckBar, at x: Double, width: Double) -> String {
        func rectangle(_ kind: String, _ y: Int, _ height: Int) -> String {
            "<rect class=\"\(kind)\" x=\"\(percent(x))\" width=\"\(percent(width))\" y=\"\(y)\" height=\"\(height)\" rx=\"1.5\"/>"
        }
        let shape: String =
            switch bar.state {
            case .silent: rectangle("silent", height - 2, 2)
            case .passed: rectangle("passed", height - 18, 18)
            case .failed: rectangle("failed", 2, height - 2)
            case .mixed: rectangle("failed", 2, 12) + rectangle("passed", 15, height - 15)
            }
        guard bar.state != .silent else { return shape }
        var words = "\(Words.clock(bar.at)) UTC: \(Words.count(bar.runs, "run", "runs")), \(bar.failures) failed"
        if let failure = bar.lastFailure, bar.failures > 0 { words += "\n\(failure.prefix(200))" }
        return "<g><title>\(HTMLText.escape(words))</title>\(shape)</g>"
    }

    /// The axis above a service's charts: a diamond where something changed, a hollow one where it was undone.
    static func axis(_ marks: [ChangeMark]) -> String {
        var svg =
            "<svg class=\"axis\" width=\"100%\" height=\"16\" role=\"img\" aria-label=\"\(HTMLText.escape(words(marks)))\">"
        svg += "<line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"8\" y2=\"8\"/>"
        for mark in marks {
            let title = "\(mark.isUndo ? "Undone: " : "")\(mark.change.title), \(Words.clock(mark.at)) UTC"
            svg +=
                "<svg x=\"\(percent(mark.position * 100))\" overflow=\"visible\"><a href=\"\(HTMLText.escape(Links.change(mark.change.id)))\">"
                + "<title>\(HTMLText.escape(title))</title>"
                + "<path class=\"diamond\(mark.isUndo ? " undo" : "")\" d=\"M0 2.5 5.5 8 0 13.5 -5.5 8z\"/></a></svg>"
        }
        return svg + "</svg>"
    }

    private static func words(_ marks: [ChangeMark]) -> String {
        guard !marks.isEmpty else { return "No change in this time" }
        return "Changes: "
            + marks.map { "\($0.isUndo ? "undone " : "")\($0.change.title) at \(Words.clock($0.at)) UTC" }.joined(
                separator: "; ")
    }

    /// With two decimals, without Foundation's formatters.
    private static func percent(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)%"
    }
}
