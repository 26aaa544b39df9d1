/// A post as its author sends it.
struct PostInput: Decodable, Sendable {
    static let titleLimit = 120
    static let bodyLimit = 10_000

    var title: String
    var body: String

    /// Throws 422 with every mistake.
    func validate() throws {
        var validator = Validator()
        _ = validator.text("title", title, length: 1...Self.titleLimit)
        _ = validator.text("body", body, length: 1...Self.bodyLimit, lines: true)
        try validator.finish()
    }
}

/// Which part of the posts a reader wants: those older than a post, which stays true while new ones arrive.
struct PostRange: Sendable {
    var before: Int64?
    var size = 24

    init(_ fields: FormFields) throws {
        var validator = Validator()
        if let text = fields["before"] {
            before = parseID(text)
            if before == nil { validator.refuse("before", "must be the id of a post.") }
        }
        size = validator.integer("page_size", fields["page_size"], in: 1...Paging.sizeLimit, fallback: 24)
        try validator.finish()
    }
}
