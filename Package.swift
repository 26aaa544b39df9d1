// swift-tools-version:6.2
import PackageDescription

let package = Package(
    name: "mainstay",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "MainstayKit", targets: ["MainstayKit"]),
        .executable(name: "mainstay", targets: ["Mainstay"]),
        .executable(name: "storefront", targets: ["Storefront"]),
    ],
    dependencies: [
        // HTTP server of Mainstay and of the Storefront.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        // HTTP client of checks, webhooks, MainstayKit and the drill's crowd: pooled, streaming, with deadlines.
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        // Event loops and byte buffers under both; the drill's mail server and TCP checks use it directly. The
        // guard has sockets of its own, and uses byte buffers, futures, pipelines for TLS and HTTP, and threads
        // to resolve names.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // TLS of the guard, and of the tests' mail server, where it is another implementation than libcurl's. The HTTP
        // client builds it anyway.
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        // Header and status types shared by Hummingbird's API.
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        // SQLite driver: WAL, statement cache, threads of its own.
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // YAML with line and column marks, which clear configuration errors need.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        // Pages are rendered on the server from logic-less, always-escaping templates.
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        // Commands, help and completion of the CLI.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // Starts services in order and shuts them down gracefully.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Structured logging.
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        // scrypt, HMAC, SHA-256, AES-GCM and constant-time comparison.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        // Double-ended queues of the guard and its protocol, and the heap of its loop's timers.
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        // Latencies of queries: a high dynamic range histogram, as other tools read and merge it.
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        // Runs rollback commands and the drill's processes without a shell.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // MARK: Pure
        .target(name: "Decide", dependencies: [.product(name: "OrderedCollections", package: "swift-collections")]),
        .target(name: "Interop", dependencies: ["Decide"]),

        // MARK: SQL
        .systemLibrary(
            name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
        .target(
            name: "SQL",
            dependencies: [
                "CLibPQ", "CPGQuery", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ]),

        // MARK: The verbs
        .target(
            name: "Record",
            dependencies: [
                "Decide", "SQL", .product(name: "Logging", package: "swift-log"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]),
        .target(
            name: "Observe",
            dependencies: [
                "Decide", "Record", "SQL", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .target(
            name: "Act",
            dependencies: [
                "Decide", "Record", "SQL", "CCurl", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .target(name: "Explain", dependencies: ["Decide", "Record"]),

        // MARK: The guard
        // epoll: Linux has it, and Swift's own module of the C library does not show it.
        .systemLibrary(name: "CEpoll"),
        // libpg_query comes from Debian without a pkg-config file; its module map names the library.
        .systemLibrary(name: "CPGQuery", providers: [.apt(["libpg-query-dev"]), .brew(["libpg_query"])]),
        .target(
            name: "PGWire",
            dependencies: [
                "Decide", "CPGQuery", .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]),
        .target(
            name: "Guard",
            dependencies: [
                "Decide", "PGWire", "CEpoll", .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),

        // MARK: Doors
        .target(
            name: "Web",
            dependencies: [
                "Decide", "Record", "Observe", "Act", "Explain", "Interop",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .target(
            name: "App",
            dependencies: [
                "Decide", "SQL", "Record", "Observe", "Act", "Explain", "Interop", "Web", "Guard", "PGWire",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "Yams", package: "Yams"),
            ]),
        .executableTarget(
            name: "Mainstay",
            dependencies: ["App", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Sources/mainstay"),

        // MARK: What services import, and the reference service
        .target(
            name: "MainstayKit",
            dependencies: [
                "Decide", "Interop", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .executableTarget(
            name: "Storefront",
            dependencies: [
                "MainstayKit", "SQL",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),

        // MARK: Tests
        .target(name: "TestSupport", dependencies: ["SQL"], path: "Tests/TestSupport"),
        .target(name: "DecideSupport", dependencies: ["Decide"], path: "Tests/DecideSupport"),
        .testTarget(name: "DecideTests", dependencies: ["DecideSupport", "Decide"]),
        .testTarget(name: "SimulationTests", dependencies: ["DecideSupport", "Decide"]),
        .testTarget(name: "InteropTests", dependencies: ["Interop", "Decide"]),
        .testTarget(
            name: "SQLTests", dependencies: ["TestSupport", "SQL", .product(name: "GRDB", package: "GRDB.swift")]),
        .testTarget(name: "StoreContractTests", dependencies: ["TestSupport", "SQL"]),
        .testTarget(
            name: "RecordTests",
            dependencies: ["TestSupport", "Record", "Decide", "SQL", .product(name: "Logging", package: "swift-log")]),
        .testTarget(
            name: "ObserveTests",
            dependencies: [
                "TestSupport", "Observe", "Record", "Decide", "SQL",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "ActTests",
            dependencies: [
                "TestSupport", "Act", "Record", "Decide", "SQL",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(name: "ExplainTests", dependencies: ["TestSupport", "Explain", "Record", "Decide", "SQL"]),
        .testTarget(
            name: "WebTests",
            dependencies: [
                "TestSupport", "Web", "Record", "Decide", "SQL", "Explain", "Observe", "Act", "Interop",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "AppTests",
            dependencies: [
                "TestSupport", "App", "Act", "Decide", "Guard", "Observe", "PGWire", "Record", "SQL", "Web",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(
            name: "MainstayKitTests",
            dependencies: [
                "MainstayKit", "Decide", "Interop",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),
        .testTarget(
            name: "StorefrontTests",
            dependencies: [
                "TestSupport", "Storefront", "MainstayKit", "SQL",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "PGWireTests",
            dependencies: [
                "PGWire", "CPGQuery", "Decide", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .testTarget(
            name: "GuardTests",
            dependencies: [
                "EndToEndSupport", "TestSupport", "Guard", "PGWire", "Decide", "SQL",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(name: "TidyTests"),
        .target(
            name: "EndToEndSupport",
            dependencies: [
                "TestSupport", "Decide", .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], path: "Tests/EndToEndSupport"),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "EndToEndSupport", "TestSupport", "Decide", "SQL", .product(name: "NIOHTTP1", package: "swift-nio"),
                "Mainstay", "Storefront",
            ]),
        .testTarget(
            name: "BrowserTests",
            dependencies: [
                "EndToEndSupport", "Decide", .product(name: "NIOHTTP1", package: "swift-nio"), "Mainstay", "Storefront",
            ]),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .treatAllWarnings(as: .error),
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("MemberImportVisibility"),
        ]
}
