import SQL

/// Something the shop sells.
struct Product: Sendable, Equatable {
    var id: Int64
    var name: String
    var category: Category
    var description: String
    var priceCents: Int64

    /// Amount in euros with two decimals: `19.90`.
    var price: String { Product.price(cents: priceCents) }

    static func price(cents: Int64) -> String {
        "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
    }
}

/// The shop's departments.
enum Category: String, Sendable, CaseIterable {
    case kitchen, living, bedroom, bath, office, garden, travel, kids

    var label: String {
        switch self {
        case .kitchen: "Kitchen"
        case .living: "Living room"
        case .bedroom: "Bedroom"
        case .bath: "Bath"
        case .office: "Office"
        case .garden: "Garden"
        case .travel: "Travel"
        case .kids: "Kids"
        }
    }
}

extension Product {
    static let columns = "id, name, category, description, price_cents"

    init(_ row: SQLRow) throws {
        let category = try row.text("category")
        guard let category = Category(rawValue: category) else {
            throw SQLError(.decoding, "unknown product category '\(category)'")
        }
        self.init(
            id: try row.int("id"), name: try row.text("name"), category: category,
            description: try row.text("description"), priceCents: try row.int("price_cents"))
    }
}
