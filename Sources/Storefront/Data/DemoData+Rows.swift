import SQL

extension DemoData {
    /// 2025-09-01T00:00:00Z: the newest post is from just before it.
    private static let end: Int64 = 1_756_684_800_000
    private static let day: Int64 = 86_400_000

    /// No two products have the same name: the numbers walk through all combinations of words in a stride that shares
    /// no factor with their count.
    static func product(_ id: Int) -> [SQLValue] {
        var generator = SeededGenerator(seed: id, stream: 1)
        let (name, kind) = productName(id)
        let price = generator.pick(kind.price)
        // Prices end in 50 or 90 cents, as prices do.
        let cents = price * 100 - (generator.next() % 3 == 0 ? 50 : 10)
        let description = [
            generator.pick(DemoWords.openings).replacing("%", with: name.lowercased()),
            generator.pick(DemoWords.qualities), generator.pick(DemoWords.closings),
        ].joined(separator: " ")
        let search = "\(name) \(kind.category.label)".lowercased()
        return [
            SQLValue(id), .text(name), .text(kind.category.rawValue), .text(description), SQLValue(cents),
            .text(search),
        ]
    }

    static func productName(_ id: Int) -> (name: String, kind: DemoWords.Kind) {
        let (kinds, count, looks) = (DemoWords.kinds, DemoWords.materialCount, DemoWords.looks)
        let total = kinds.count * count * looks.count
        let index = id * DemoWords.stride % total
        let kind = kinds[index % kinds.count]
        let material = kind.materials[index / kinds.count % count]
        let look = looks[index / kinds.count / count]
        let series = id / total
        return ("\(look) \(material) \(kind.name)" + (series == 0 ? "" : " No. \(series + 1)"), kind)
    }

    static func user(_ id: Int) -> [SQLValue] {
        var generator = SeededGenerator(seed: id, stream: 2)
        let name = "\(generator.pick(DemoWords.firstNames)) \(generator.pick(DemoWords.lastNames))"
        let created = end - Int64(generator.pick(30...900)) * day
        return [
            SQLValue(id), .text(email(user: id)), .text(name), .text(password), 0, .integer(created),
        ]
    }

    /// `user0001@storefront.test`
    static func email(user id: Int) -> String {
        let digits = String(id)
        return "user\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)@storefront.test"
    }

    static func post(_ id: Int, of posts: Int, users: Int) -> [SQLValue] {
        var generator = SeededGenerator(seed: id, stream: 3)
        let thing = productName(generator.pick(1...10_000)).name
        let title = generator.pick(DemoWords.titles).replacing("%", with: thing)
        let sentences = (0..<generator.pick(2...6)).map { _ in
            generator.pick(DemoWords.sentences).replacing("%", with: thing.lowercased())
        }
        // A post every twenty minutes or so, the newest with the highest id.
        let created = end - Int64(posts - id + 1) * 1_200_000 + Int64(generator.pick(0...1_000_000))
        return [
            SQLValue(id), SQLValue(generator.pick(1...max(1, users))), .text(title),
            .text(sentences.joined(separator: " ")), .integer(created),
        ]
    }
}
