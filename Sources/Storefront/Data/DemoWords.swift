/// The words that demo data is made of.
enum DemoWords {
    /// What is sold: name, department, and prices in whole euros.
    struct Kind: Sendable {
        var name: String
        var category: Category
        var price: ClosedRange<Int>
    }

    /// Shares no factor with the number of combinations, so that all of them come up, and is so large that neighbours
    /// differ in every word.
    static let stride = 9_619

    static let kinds: [Kind] = [
        .init(name: "Teapot", category: .kitchen, price: 24...70),
        .init(name: "Mixing Bowl", category: .kitchen, price: 12...48),
        .init(name: "Chopping Board", category: .kitchen, price: 18...65),
        .init(name: "Pepper Mill", category: .kitchen, price: 22...60),
        .init(name: "Bread Box", category: .kitchen, price: 30...90),
        .init(name: "Coffee Grinder", category: .kitchen, price: 45...140),
        .init(name: "Reading Lamp", category: .living, price: 45...190),
        .init(name: "Side Table", category: .living, price: 80...320),
        .init(name: "Throw", category: .living, price: 35...130),
        .init(name: "Vase", category: .living, price: 15...85),
        .init(name: "Wall Shelf", category: .living, price: 40...160),
        .init(name: "Armchair", category: .living, price: 240...890),
        .init(name: "Pillow", category: .bedroom, price: 20...95),
        .init(name: "Duvet Cover", category: .bedroom, price: 50...180),
        .init(name: "Alarm Clock", category: .bedroom, price: 25...75),
        .init(name: "Bedside Table", category: .bedroom, price: 90...280),
        .init(name: "Bath Towel", category: .bath, price: 14...45),
        .init(name: "Soap Dish", category: .bath, price: 8...28),
        .init(name: "Bath Mat", category: .bath, price: 18...55),
        .init(name: "Laundry Basket", category: .bath, price: 28...85),
        .init(name: "Desk Organizer", category: .office, price: 18...60),
        .init(name: "Notebook", category: .office, price: 6...24),
        .init(name: "Pen Holder", category: .office, price: 9...32),
        .init(name: "Desk Lamp", category: .office, price: 40...160),
        .init(name: "Monitor Stand", category: .office, price: 35...110),
        .init(name: "Watering Can", category: .garden, price: 16...58),
        .init(name: "Planter", category: .garden, price: 12...95),
        .init(name: "Garden Bench", category: .garden, price: 140...460),
        .init(name: "Bird Feeder", category: .garden, price: 15...48),
        .init(name: "Weekend Bag", category: .travel, price: 70...260),
        .init(name: "Travel Mug", category: .travel, price: 14...38),
        .init(name: "Wash Bag", category: .travel, price: 18...52),
        .init(name: "Picnic Blanket", category: .travel, price: 28...80),
        .init(name: "Building Blocks", category: .kids, price: 18...70),
        .init(name: "Night Light", category: .kids, price: 16...48),
        .init(name: "Toy Box", category: .kids, price: 40...130),
    ]

    static let materials = [
        "Oak", "Walnut", "Ash", "Bamboo", "Linen", "Cotton", "Wool", "Felt", "Cork", "Rattan", "Steel", "Brass",
        "Copper", "Glass", "Stoneware", "Porcelain", "Enamel", "Leather", "Canvas", "Recycled",
    ]

    static let looks = [
        "Plain", "Ribbed", "Slim", "Round", "Tall", "Low", "Folding", "Little", "Large", "Two-Tone", "Striped",
        "Speckled", "Matte", "Polished", "Hand-Made", "Nordic", "Classic", "Studio", "Harbour", "Meadow", "Coastal",
        "Evening",
    ]

    static let openings = [
        "The % for every day.", "The % that stays where it is needed.", "Our % is made in small numbers.",
        "The % without anything too much.", "This % gets better with the years.", "Our % makes a good present.",
    ]

    static let qualities = [
        "Easy to clean and hard to break.", "Finished by hand, so that no two are quite the same.",
        "Made to be repaired: every part can be ordered on its own.", "Light enough to carry with one hand.",
        "The surface is oiled, not varnished.", "Sturdy joints, soft edges.", "The colour does not fade in the sun.",
    ]

    static let closings = [
        "Delivered within three days.", "Comes in a box without plastic.", "Two years of guarantee.",
        "Goes well with the rest of the series.", "You may send it back within thirty days.",
    ]

    static let firstNames = [
        "Ada", "Amir", "Anna", "Ben", "Carla", "Chen", "Daniel", "Elena", "Emil", "Fatima", "Finn", "Grace", "Hana",
        "Ines", "Ivan", "Jonas", "Julia", "Kaya", "Lars", "Lena", "Leo", "Lina", "Marco", "Maria", "Mila", "Nadia",
        "Noah", "Olga", "Omar", "Paul", "Priya", "Rosa", "Sami", "Sofia", "Tara", "Theo", "Tom", "Vera", "Yuki", "Zoe",
    ]

    static let lastNames = [
        "Adler", "Bauer", "Berg", "Brandt", "Costa", "Diaz", "Egger", "Fischer", "Garcia", "Haas", "Ivanov", "Jansen",
        "Kaya", "Keller", "Kim", "Kowalski", "Lang", "Lehmann", "Lindt", "Marino", "Meyer", "Moreau", "Nakamura",
        "Novak", "Olsen", "Patel", "Peters", "Rossi", "Sato", "Silva", "Singh", "Sommer", "Svensson", "Tanaka",
        "Vogel", "Wagner", "Weber", "Wolf", "Yilmaz", "Ziegler",
    ]

    static let titles = [
        "%: a month later", "Is the % worth it?", "How do you clean the %?", "My % arrived today",
        "% or something else?",
        "A corner for the %", "Question about the %", "Three years with the %", "The % as a present",
        "Looking for company for the %",
    ]

    static let sentences = [
        "I have used the % nearly every day.", "It looks just as it does in the shop window.",
        "The parcel came on a Tuesday, a day early.", "My sister has the same one and swears by it.",
        "I was not sure about the colour, and now I like it best of all.", "Does anyone know how it ages?",
        "A damp cloth is all it needs.", "I would buy the % again without thinking.",
        "The only thing I would change is the size.", "It stands by the window, where the light is good.",
        "The children have tried to break it and have not managed yet.", "For the price it is hard to beat.",
        "I wrote to the shop and had an answer within the hour.", "It replaced one that I had for ten years.",
        "Has anybody combined it with something older?", "I put a photo of it on my wall at work.",
    ]
}
