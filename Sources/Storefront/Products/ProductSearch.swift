/// What a reader looks for among the products.
struct ProductSearch: Sendable, Equatable {
    static let textLimit = 100
    /// Words that are looked for; more of them would only cost time.
    static let wordLimit = 5

    var text = ""
    var category: Category?
    var paging = Paging()

    /// Every one of them must occur in a product's name or category.
    var words: [String] {
        text.lowercased().split(whereSeparator: \.isWhitespace).prefix(Self.wordLimit).map(String.init)
    }

    init(text: String = "", category: Category? = nil, paging: Paging = Paging()) {
        self.text = text
        self.category = category
        self.paging = paging
    }

    /// Reads `q`, `category`, `page` and `page_size`; throws 422 for what does not fit.
    init(_ fields: FormFields) throws {
        var validator = Validator()
        text = validator.text("q", fields["q"] ?? "", length: 0...Self.textLimit)
        if let name = fields["category"], !name.isEmpty {
            category = Category(rawValue: name)
            if category == nil {
                let names = Category.allCases.map(\.rawValue).joined(separator: ", ")
                validator.refuse("category", "must be one of \(names).")
            }
        }
        paging = Paging(fields, validator: &validator)
        try validator.finish()
    }
}
