/// Line icons on a grid of 16, drawn in the colour of the text beside them; the word beside them says the same.
enum Icons {
    private static let paths: [String: String] = [
        "brand": "M8 1.5v13M8 2.2 2.6 12.6h10.8zM1.6 14.4h12.8",
        "ok": "M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 0 0 0-12.5M5.2 8.2l2 2 3.7-4.2",
        "ill": "M8 1.9 14.7 13.7H1.3zM8 6.2v3.5M8 11.6v.1",
        "unknown":
            "M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 0 0 0-12.5M6.2 6.2a1.85 1.85 0 1 1 2.6 1.9c-.6.3-.8.6-.8 1.2M8 11.5v.1",
        "change": "M8 2.2 13.8 8 8 13.8 2.2 8z",
        "undo": "M5.2 3.2 2.4 6l2.8 2.8M2.6 6h6.6a4 4 0 0 1 0 8H6",
        "bell":
            "M8 2a3.9 3.9 0 0 0-3.9 3.9c0 3.6-1.6 4.7-1.6 4.7h11s-1.6-1.1-1.6-4.7A3.9 3.9 0 0 0 8 2zM6.7 13.2a1.5 1.5 0 0 0 2.6 0",
        "person": "M8 2.5a2.7 2.7 0 1 0 0 5.4a2.7 2.7 0 0 0 0-5.4M2.8 13.8c.6-2.7 2.6-4 5.2-4s4.6 1.3 5.2 4",
        "flask":
            "M6.2 1.9v4.3L2.5 12.6a1.1 1.1 0 0 0 1 1.6h9a1.1 1.1 0 0 0 1-1.6L9.8 6.2V1.9M5.2 1.9h5.6M4.6 9.6h6.8",
        "flag": "M3.4 14.2V2.2M3.4 2.8h8.8l-2 3 2 3H3.4",
        "rollout": "M1.8 13.2h3.4V9.8h3.4V6.4H12V3h2.2",
        "shield": "M8 1.8 13.2 3.6v4c0 3.2-2.1 5.4-5.2 6.6-3.1-1.2-5.2-3.4-5.2-6.6v-4z",
        "report": "M2.2 3h11.6v8H7l-3.2 2.8V11H2.2z",
        "note": "M10.6 2.6 13.4 5.4 5.6 13.2 2.4 13.6 2.8 10.4z",
        "pulse": "M1.5 8.4h3l1.8-4.6 3 8.4 1.9-3.8h3.3",
        "clock": "M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 0 0 0-12.5M8 4.4V8l2.4 1.6",
        "document": "M4 1.8h5.4L12.4 5v9.2H4zM9.2 1.8V5h3.2M6.2 8.2h4M6.2 11h4",
        "play": "M5 3.2v9.6l7.6-4.8z",
        "next": "M3 8h10M9.4 4.4 13 8l-3.6 3.6",
        "key": "M5.6 6.9a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7M8.2 7.9 14 2.1M11.4 4.7l2 2",
        "down": "M8 2.4v8M4.6 7.2 8 10.6l3.4-3.4M2.6 13.6h10.8",
        "wait": "M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 0 0 0-12.5M6.4 5.6v4.8M9.6 5.6v4.8",
    ]

    /// As partials `icon-ok`, `icon-ill`, …
    static let templates: [String: String] = Dictionary(
        paths.map { ("icon-\($0)", svg($1)) }, uniquingKeysWith: { $1 })

    private static func svg(_ path: String) -> String {
        #"<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="\#(path)"/></svg>"#
    }

    static let favicon = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2447b5"/>\
        <path d="M16 5v22M16 6.4 7.6 23h16.8zM6 26.6h20" fill="none" stroke="#fff" stroke-width="2.4" \
        stroke-linecap="round" stroke-linejoin="round"/></svg>
        """
}
