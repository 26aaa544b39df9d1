/// A form that was refused, as it goes back to its sender: what was typed, and what is wrong with it.
struct FormDraft: Sendable {
    var values: [String: String] = [:]
    var problem: Problem?

    subscript(_ name: String) -> String { values[name] ?? "" }

    func error(_ name: String) -> String? { problem?.fields.first { $0.field == name }?.message }

    /// The problem as a whole, when it does not belong to one field.
    var summary: HTML {
        guard let problem else { return .empty }
        let text = problem.fields.isEmpty ? problem.detail : "Please look at the marked fields."
        return "<p class=\"notice bad\" role=\"alert\">\(text)</p>"
    }

    /// A labelled input of one line. `attributes` are markup: type, autocomplete, lengths.
    func field(_ name: String, _ label: String, _ attributes: HTML) -> HTML {
        let value: HTML = name == "password" ? "" : " value=\"\(self[name])\""
        return """
            <label for="\(name)">\(label)</label>
            <input id="\(name)" name="\(name)"\(value) \(attributes) required\(marks(name))>\(message(name))
            """
    }

    func area(_ name: String, _ label: String, rows: Int, limit: Int) -> HTML {
        """
        <label for="\(name)">\(label)</label>
        <textarea id="\(name)" name="\(name)" rows="\(rows)" maxlength="\(limit)" required\(marks(name))>\
        \(self[name])</textarea>\(message(name))
        """
    }

    private func marks(_ name: String) -> HTML {
        error(name) == nil ? "" : " aria-invalid=\"true\" aria-describedby=\"\(name)-error\""
    }

    private func message(_ name: String) -> HTML {
        guard let error = error(name) else { return .empty }
        return "<p class=\"field-error\" id=\"\(name)-error\">This \(error)</p>"
    }
}
