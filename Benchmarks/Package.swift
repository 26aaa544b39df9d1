// swift-tools-version:6.2
import PackageDescription

let package = Package(
    name: "mainstay-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "mainstay", path: ".."),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    ],
    targets: [
        // What one flag evaluation costs in the service's own process:
        // swift run -c release --package-path Benchmarks Evaluation
        .executableTarget(
            name: "Evaluation",
            dependencies: [
                .product(name: "MainstayKit", package: "mainstay"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
