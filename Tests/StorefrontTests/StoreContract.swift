import SQL
import TestSupport
import Testing

@testable import Storefront

/// What the store promises, whatever database is under it.
struct StoreContract: Sendable, CustomTestStringConvertible {
    var name: String
    var check: @Sendable (Store) async throws -> Void

    var testDescription: String { name }

    static let all = accounts + shopping + writing

    func run(on driver: TestDriver) async throws {
        try await withDatabase(driver) { database, _ in
            try await Schema.migrate(database, at: 0)
            try await DemoData(products: 30, users: 3, posts: 12).fill(database)
            try await check(Store(database: database))
        }
    }

    private static let accounts = [
        StoreContract(name: "an address has one account") { store async throws in
            let first = try await store.createUser(email: "a@b.test", name: "A", password: "x", at: 1)
            let second = try await store.createUser(email: "a@b.test", name: "B", password: "y", at: 2)
            #expect(first?.name == "A")
            #expect(second == nil)
            #expect(try await store.account(email: "a@b.test")?.password == "x")
            #expect(try await store.account(email: "nobody@b.test") == nil)
        },
        StoreContract(name: "ids go on after seeded rows") { store async throws in
            let user = try await store.createUser(email: "a@b.test", name: "A", password: "x", at: 1)
            #expect(user?.id == 4)
        },
        StoreContract(name: "a session ends by time and by sign-out") { store async throws in
            try await store.createSession(tokenHash: "one", user: 1, at: 0, expires: 100)
            try await store.createSession(tokenHash: "two", user: 2, at: 0, expires: 200)
            #expect(try await store.sessionUser(tokenHash: "one", at: 99)?.id == 1)
            #expect(try await store.sessionUser(tokenHash: "one", at: 100) == nil)
            #expect(try await store.deleteExpiredSessions(at: 100) == 1)
            try await store.deleteSession(tokenHash: "two")
            #expect(try await store.sessionUser(tokenHash: "two", at: 1) == nil)
        },
        StoreContract(name: "the synthetic user is made once and marked") { store async throws in
            let first = try await store.ensureSyntheticUser(email: "s@b.test", password: "x", at: 1)
            let second = try await store.ensureSyntheticUser(email: "s@b.test", password: "y", at: 2)
            #expect(first == second)
            #expect(second.synthetic)
            #expect(try await store.account(email: "s@b.test")?.password == "y")
        },
        StoreContract(name: "figures leave the synthetic user out") { store async throws in
            let user = try await store.ensureSyntheticUser(email: "s@b.test", password: "x", at: 1)
            for id in [1, user.id] {
                _ = try await store.addFavorite(user: id, product: 1, variant: .v1, at: 1)
            }
            _ = try await store.createPost(author: user, title: "t", body: "b", at: 1)
            #expect(try await store.figures() == Figures(users: 3, products: 30, favorites: 1, posts: 12))
        },
    ]

    private static let shopping = [
        StoreContract(name: "a search needs every word and ignores case") { store async throws in
            let all = try await store.products(ProductSearch(paging: Paging(size: 100)))
            let product = all.items[7]
            let words = product.name.uppercased()
            let found = try await store.products(ProductSearch(text: words))
            #expect(found.items.contains(product))
            #expect(found.items.allSatisfy { $0.name.uppercased().contains(words) })
            let none = try await store.products(ProductSearch(text: words + " zebra"))
            #expect(none.items.isEmpty && none.total == 0)
        },
        StoreContract(name: "wildcards are searched for as they stand") { store async throws in
            for text in ["%", "_", "!", "%%", "100%"] {
                #expect(try await store.products(ProductSearch(text: text)).total == 0)
            }
        },
        StoreContract(name: "pages cover the list without gap or repetition") { store async throws in
            var ids: [Int64] = []
            for page in 1...5 {
                let found = try await store.products(ProductSearch(paging: Paging(page: page, size: 7)))
                #expect(found.total == 30)
                ids += found.items.map(\.id)
            }
            #expect(ids == Array(1...30))
            #expect(try await store.products(ProductSearch(paging: Paging(page: 9, size: 7))).total == 30)
        },
        StoreContract(name: "a department has its products only") { store async throws in
            for category in Category.allCases {
                let found = try await store.products(ProductSearch(category: category))
                #expect(found.items.allSatisfy { $0.category == category })
            }
        },
        StoreContract(name: "favorites are listed newest first") { store async throws in
            for (time, product) in [(10, 5), (30, 7), (20, 6)] as [(Int64, Int64)] {
                _ = try await store.addFavorite(user: 1, product: product, variant: .v1, at: time)
            }
            _ = try await store.addFavorite(user: 2, product: 9, variant: .v1, at: 40)
            let found = try await store.favorites(user: 1, paging: Paging(page: 1, size: 2))
            #expect(found.items.map(\.product.id) == [7, 6])
            #expect(found.items.map(\.addedAt) == [30, 20])
            #expect(found.total == 3)
        },
        StoreContract(name: "both good variants store once and say so") { store async throws in
            for variant in [FavoritesVariant.v1, .v1b] {
                #expect(try await store.addFavorite(user: 3, product: 3, variant: variant, at: 10) == .added)
                #expect(try await store.addFavorite(user: 3, product: 3, variant: variant, at: 20) == .alreadyThere)
                #expect(try await store.favorites(user: 3, paging: Paging()).items.map(\.addedAt) == [10])
                try await store.removeFavorite(user: 3, product: 3)
                try await store.removeFavorite(user: 3, product: 3)
                #expect(try await !store.isFavorite(user: 3, product: 3))
            }
        },
        StoreContract(name: "the faulty variant says stored and stores nothing") { store async throws in
            #expect(try await store.addFavorite(user: 3, product: 3, variant: .v2, at: 10) == .added)
            #expect(try await !store.isFavorite(user: 3, product: 3))
        },
        StoreContract(
            name: "a product that does not exist cannot be a favorite",
        ) { store async throws in
            for variant in FavoritesVariant.allCases {
                await #expect(throws: Problem.notFound("There is no product 999.")) {
                    try await store.addFavorite(user: 1, product: 999, variant: variant, at: 1)
                }
            }
        },
    ]

    private static let writing = [
        StoreContract(name: "posts are read newest first, from any post on") { store async throws in
            let newest = try await store.posts(before: nil, size: 5, variant: .v1)
            #expect(newest.map(\.id) == [12, 11, 10, 9, 8])
            #expect(try await store.posts(before: 8, size: 100, variant: .v1).map(\.id) == Array((1...7).reversed()))
        },
        StoreContract(name: "the misconfigured query is right on little data") { store async throws in
            for before in [nil, 7] as [Int64?] {
                let good = try await store.posts(before: before, size: 5, variant: .v1)
                #expect(try await store.posts(before: before, size: 5, variant: .v2) == good)
            }
        },
        StoreContract(name: "only its author deletes a post") { store async throws in
            let account = try await store.account(email: DemoData.email(user: 1))
            let author = try #require(account?.user)
            let post = try await store.createPost(author: author, title: "Üben", body: "a\nb \u{1F33B}", at: 5)
            #expect(try await store.post(post.id) == post)
            await #expect(throws: Problem.self) { try await store.deletePost(post.id, author: 2) }
            try await store.deletePost(post.id, author: 1)
            #expect(try await store.post(post.id) == nil)
            await #expect(throws: Problem.self) { try await store.deletePost(post.id, author: 1) }
        },
        StoreContract(name: "seeding again changes nothing") { store async throws in
            try await store.deletePost(12, author: try #require(try await store.post(12)).author)
            try await DemoData(products: 50, users: 9, posts: 90).fill(store.database)
            #expect(try await store.figures() == Figures(users: 3, products: 30, favorites: 0, posts: 11))
        },
    ]
}

@Suite("The store on SQLite")
struct SQLiteStoreTests {
    @Test("keeps the contract", arguments: StoreContract.all)
    func contract(_ contract: StoreContract) async throws { try await contract.run(on: .sqlite) }
}

@Suite("The store on PostgreSQL", .enabled(if: TestDriver.isPostgresAvailable, "MAINSTAY_TEST_POSTGRES is not set"))
struct PostgresStoreTests {
    @Test("keeps the contract", arguments: StoreContract.all)
    func contract(_ contract: StoreContract) async throws { try await contract.run(on: .postgres) }
}

@Suite("The tables")
struct SchemaTests {
    @Test("come from every earlier version without losing a favorite", arguments: [1, 2])
    func upgrades(from version: Int) async throws {
        try await withDatabase { database, _ in
            try await Migrator(schema: "storefront", migrations: Schema.migrations)
                .migrate(database, appliedAt: 0, upTo: version)
            try await DemoData(products: 3, users: 1, posts: 1).fill(database)
            _ = try await database.write {
                try $0.execute("INSERT INTO favorites (user_id, product_id, added_at) VALUES (1, 2, 3)")
            }
            try await Schema.migrate(database, at: 1)
            let store = Store(database: database)
            #expect(try await store.favorites(user: 1, paging: Paging()).items.map(\.product.id) == [2])
            #expect(try await store.addFavorite(user: 1, product: 2, variant: .v1b, at: 9) == .alreadyThere)
        }
    }

    @Test("of a newer version are refused")
    func newer() async throws {
        try await withDatabase { database, _ in
            let future =
                Schema.migrations + [
                    Migration(version: Schema.migrations.count + 1, name: "future") { _ in [] }
                ]
            try await Migrator(schema: "storefront", migrations: future).migrate(database, appliedAt: 0)
            let error = await #expect(throws: SQLError.self) { try await Schema.migrate(database, at: 1) }
            #expect(error?.code == .newer)
        }
    }
}
