/// Which part of a list a reader wants.
struct Paging: Sendable, Equatable {
    static let sizeLimit = 100
    static let pageLimit = 100_000

    var page = 1
    var size = 24

    var offset: Int { (page - 1) * size }

    init(page: Int = 1, size: Int = 24) {
        self.page = page
        self.size = size
    }

    init(_ fields: FormFields, validator: inout Validator) {
        page = validator.integer("page", fields["page"], in: 1...Self.pageLimit, fallback: 1)
        size = validator.integer("page_size", fields["page_size"], in: 1...Self.sizeLimit, fallback: 24)
    }
}

/// One page of a list, with the length of the whole.
struct Listing<Item: Sendable>: Sendable {
    var items: [Item]
    var total: Int
}
