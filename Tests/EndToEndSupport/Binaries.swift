import Foundation

/// The programs under test: those beside the running tests, or those in the directory MAINSTAY_BINARIES.
package enum Binaries {
    package static let mainstay = path("mainstay")
    package static let storefront = path("storefront")

    private static func path(_ name: String) -> String {
        directory + "/" + name
    }

    private static let directory: String = {
        if let given = ProcessInfo.processInfo.environment["MAINSTAY_BINARIES"], !given.isEmpty { return given }
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let candidates = [own, Bundle.main.bundlePath, CommandLine.arguments[0]]
            .map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0 + "/mainstay") } ?? candidates[2]
    }()
}
