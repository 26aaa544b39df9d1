/// The words that demo data is made of.
enum DemoWords {
    /// What is sold: name, department, what it is made of, and prices in whole euros.
    struct Kind: Sendable {
        var name: String
        var category: Category
        /// As many for each kind as `materialCount` says.
        var materials: [String]
        var price: ClosedRange<Int>
    }

    /// Shares no factor with the number of combinations, so that all of them come up, and is so large that neighbours
    /// differ in every word.
    static let stride = 4_439

    static let kinds: [Kind] = [
        .init(name: "Teapot", category: .kitchen, materials: clay, price: 24...70),
        .init(name: "Mixing Bowl", category: .kitchen, materials: clay, price: 12...48),
        .init(name: "Chopping Board", category: .kitchen, materials: wood, price: 18...65),
        .init(name: "Pepper Mill", category: .kitchen, materials: wood, price: 22...60),
        .init(name: "Bread Box", category: .kitchen, materials: wood, price: 30...90),
        .init(name: "Coffee Grinder", category: .kitchen, materials: metal, price: 45...140),
        .init(name: "Reading Lamp", category: .living, materials: metal, price: 45...190),
        .init(name: "Side Table", category: .living, materials: wood, price: 80...320),
        .init(name: "Throw", category: .living, materials: cloth, price: 35...130),
        .init(name: "Vase", category: .living, materials: clay, price: 15...85),
        .init(name: "Wall Shelf", category: .living, materials: wood, price: 40...160),
        .init(name: "Armchair", category: .living, materials: cloth, price: 240...890),
        .init(name: "Pillow", category: .bedroom, materials: cloth, price: 20...95),
        .init(name: "Duvet Cover", category: .bedroom, materials: cloth, price: 50...180),
        .init(name: "Alarm Clock", category: .bedroom, materials: metal, price: 25...75),
        .init(name: "Bedside Table", category: .bedroom, materials: wood, price: 90...280),
        .init(name: "Bath Towel", category: .bath, materials: cloth, price: 14...45),
        .init(name: "Soap Dish", category: .bath, materials: clay, price: 8...28),
        .init(name: "Bath Mat", category: .bath, materials: cloth, price: 18...55),
        .init(name: "Laundry Basket", category: .bath, materials: cloth, price: 28...85),
        .init(name: "Desk Organizer", category: .office, materials: wood, price: 18...60),
        .init(name: "Notebook", category: .office, materials: cloth, price: 6...24),
        .init(name: "Pen Holder", category: .office, materials: clay, price: 9...32),
        .init(name: "Desk Lamp", category: .office, materials: metal, price: 40...160),
        .init(name: "Monitor Stand", category: .office, materials: wood, price: 35...110),
        .init(name: "Watering Can", category: .garden, materials: metal, price: 16...58),
        .init(name: "Planter", category: .garden, materials: clay, price: 12...95),
        .init(name: "Garden Bench", category: .garden, materials: wood, price: 140...460),
        .init(name: "Bird Feeder", category: .garden, materials: wood, price: 15...48),
        .init(name: "Weekend Bag", category: .travel, materials: cloth, price: 70...260),
        .init(name: "Travel Mug", category: .travel, materials: metal, price: 14...38),
        .init(name: "Wash Bag", category: .travel, materials: cloth, price: 18...52),
        .init(name: "Picnic Blanket", category: .travel, materials: cloth, price: 28...80),
        .init(name: "Building Blocks", category: .kids, materials: wood, price: 18...70),
        .init(name: "Night Light", category: .kids, materials: clay, price: 16...48),
        .init(name: "Toy Box", category: .kids, materials: wood, price: 40...130),
    ]

    static let materialCount = 8
    private static let clay = [
        "Stoneware", "Porcelain", "Enamel", "Glass", "Terracotta", "Earthenware", "Ceramic", "Marble",
    ]
    private static let wood = ["Oak", "Walnut", "Ash", "Bamboo", "Beech", "Cherry", "Pine", "Maple"]
    private static let cloth = ["Linen", "Cotton", "Wool", "Canvas", "Velvet", "Felt", "Corduroy", "Hemp"]
    private static let metal = ["Brass", "Steel", "Copper", "Aluminium", "Iron", "Chrome", "Tin", "Bronze"]

    static let looks = [
        "Plain", "Classic", "Studio", "Harbour", "Meadow", "Coastal", "Evening", "Nordic", "Hand-Made", "Little",
        "Large", "Everyday", "Sunday", "Winter", "Summer", "Autumn", "Spring", "Morning", "Market", "Village", "Island",
        "Forest", "Mountain", "River", "Atelier", "Heritage", "Modern", "Simple", "Quiet", "Bright", "Warm", "Rustic",
        "Urban", "Orchard", "Lake", "Dune", "Cliff", "Moss", "Pebble", "Cloud",
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
