/// Links to the pages around the one shown.
enum Pager {
    /// `path` ends in `?` or `&`, ready for the page's number.
    static func html(_ paging: Paging, total: Int, path: String) -> HTML {
        let last = max(1, (total + paging.size - 1) / paging.size)
        guard last > 1 || paging.page > 1 else { return .empty }
        let before: HTML =
            paging.page > 1
            ? "<a rel=\"prev\" href=\"\(path)page=\(min(paging.page - 1, last))\">← Previous</a>" : "<span></span>"
        let after: HTML =
            paging.page < last ? "<a rel=\"next\" href=\"\(path)page=\(paging.page + 1)\">Next →</a>" : "<span></span>"
        return """
            <nav class="pager" aria-label="Pages">\(before)<span>Page \(paging.page) of \(last)</span>\(after)</nav>
            """
    }
}
