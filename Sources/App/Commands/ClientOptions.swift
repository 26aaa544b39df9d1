import ArgumentParser
import Foundation

/// Where the running Mainstay is, and who asks.
struct ClientOptions: ParsableArguments {
    @Option(help: "Mainstay's URL; default: $MAINSTAY_URL, or http://127.0.0.1:8600.")
    var url: String?

    @Option(help: "File with an access token; default: $MAINSTAY_TOKEN.")
    var tokenFile: String?

    @Flag(help: "Print the answer as JSON.")
    var json = false

    func api() throws -> MainstayAPI {
        let environment = ProcessInfo.processInfo.environment
        let token: String
        if let tokenFile {
            guard let data = FileManager.default.contents(atPath: tokenFile) else {
                throw ValidationError("\(tokenFile) cannot be read.")
            }
            token = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        } else if let given = environment["MAINSTAY_TOKEN"], !given.isEmpty {
            token = given
        } else {
            throw ValidationError(
                "An access token is needed: set MAINSTAY_TOKEN or give --token-file. Make one on the account page.")
        }
        return MainstayAPI(url: url ?? environment["MAINSTAY_URL"] ?? "http://127.0.0.1:8600", token: token)
    }
}
