/// Who may import whom. The table is the architecture: a new arrow is a decision, made here and in ARCHITECTURE.md.
///
/// `SQL` is the only module that knows a database's library, `Act` the only one that knows libcurl, `Web` and
/// `Storefront` the only ones that know the HTTP server, and `Observe`, `Act` and `Explain` never know one another.
struct Arrows: Sendable {
    /// Modules of this package, and libraries, by importing module.
    let allowed: [String: Set<String>]

    static let ours: Set<String> = [
        "Decide", "Interop", "SQL", "Record", "Observe", "Act", "Explain", "Web", "App", "Mainstay", "MainstayKit",
        "Storefront", "CLibPQ", "CCurl", "CEpoll", "CPGQuery", "PGWire", "Guard",
    ]

    /// Folders that only hold a module map.
    static let systemLibraries: Set<String> = ["CLibPQ", "CCurl", "CEpoll", "CPGQuery"]

    static let house = Arrows(allowed: table.mapValues(Set.init))

    private static let table: [String: [String]] = [
        "Decide": ["OrderedCollections"],
        "Interop": ["Decide"],
        "SQL": ["CLibPQ", "CPGQuery", "GRDB", "GRDBSQLite", "Logging"] + threads + system,
        "Record": ["Decide", "SQL", "Logging", "Crypto", "CryptoExtras", "Foundation"] + threads,
        "Observe": ["Decide", "Record", "SQL", "NIOPosix", "FoundationEssentials"] + client + system,
        "Act": ["Decide", "Record", "SQL", "CCurl"] + client + threads,
        "Explain": ["Decide", "Record"],
        // Bytes in, actions out: no sockets, no clock.
        "PGWire": ["Decide", "CPGQuery", "NIOCore", "Crypto", "CryptoExtras", "DequeModule"] + system,
        // Neither Record nor Web: it goes on when they are down.
        "Guard": [
            "Decide", "PGWire", "CEpoll", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL", "DequeModule", "HeapModule",
            "Histogram", "Logging", "ServiceLifecycle", "Dispatch",
        ] + system,
        "Web": [
            "Decide", "Record", "Observe", "Act", "Explain", "Interop", "Hummingbird", "HummingbirdCore", "HTTPTypes",
            "Mustache", "NIOCore", "Crypto", "Logging", "ServiceLifecycle", "Foundation", "Synchronization",
        ],
        "App": [
            "Decide", "SQL", "Record", "Observe", "Act", "Explain", "Interop", "Web", "Guard", "PGWire",
            "ArgumentParser",
            "NIOPosix",
            "UnixSignals", "Subprocess", "System", "SystemPackage", "Yams",
        ] + client + system + threads,
        "mainstay": ["App", "ArgumentParser"],
        "MainstayKit": ["Decide", "Interop"] + client + threads,
        "Storefront": [
            "MainstayKit", "SQL", "Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOPosix", "CryptoExtras",
            "ArgumentParser",
        ] + client,
    ]

    private static let threads = ["Dispatch", "Synchronization"]
    private static let system = ["Glibc", "Musl", "Darwin", "Synchronization"]
    private static let client = [
        "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "Crypto", "Logging", "ServiceLifecycle", "Foundation",
        "Synchronization",
    ]

    func violations(in file: SourceFile) -> [Violation] {
        guard let module = file.module, !Self.systemLibraries.contains(module) else { return [] }
        guard let allowed = allowed[module] else {
            return [Violation(file: file.path, line: 1, message: "\(module) has no row in the table of Arrows.swift")]
        }
        return imports(of: file).compactMap { line, name in
            guard !allowed.contains(name) else { return nil }
            let kind = Self.ours.contains(name) ? "may not know" : "has no business with"
            return Violation(file: file.path, line: line, message: "\(module) \(kind) \(name)")
        }
    }

    /// `@testable import struct Decide.Flag` → `Decide`.
    private func imports(of file: SourceFile) -> [(line: Int, module: String)] {
        let kinds = ["struct", "class", "enum", "protocol", "typealias", "func", "var", "let", "actor"]
        return file.code.enumerated().compactMap { index, line in
            let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
            guard let at = words.firstIndex(of: "import"),
                words[..<at].allSatisfy({
                    $0.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains($0)
                })
            else { return nil }
            let rest = words[(at + 1)...].drop { kinds.contains($0) }
            return rest.first.map { (index + 1, String($0.prefix { $0 != "." })) }
        }
    }
}
