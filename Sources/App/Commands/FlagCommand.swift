import ArgumentParser
import Decide

/// `mainstay flag …`
struct FlagCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flag", abstract: "Lists and changes flags.",
        subcommands: [List.self, Set.self, Undo.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists a service's flags and what they serve.")

        @OptionGroup var client: ClientOptions
        @Option(help: "Service, as configured.") var service: String

        func run() async throws {
            let answer = try await client.api().get("/api/v1/flags?service=\(MainstayAPI.segment(service))")
            if client.json { return try JSONPrinter.print(answer) }
            for flag in answer["items"]?.array ?? [] {
                let name = flag["definition"]?["defaultVariant"]?.string ?? "the code's default"
                print("\(flag["key"]?.string ?? "?")  default \(name)")
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes a flag's default variant for everyone, at once.")

        @OptionGroup var client: ClientOptions
        @Option(help: "Service, as configured.") var service: String
        @Argument(help: "The flag's key.") var key: String
        @Argument(help: "The variant to serve.") var variant: String
        @Option(help: "Why; it is recorded.") var reason: String

        func run() async throws {
            let path = "/api/v1/flags/\(MainstayAPI.segment(service))/\(MainstayAPI.segment(key))"
            try await client.api().post(
                "\(path)/default", .object(["variant": .string(variant), "reason": .string(reason)]))
            print("\(key): default is \(variant) now.")
        }
    }

    struct Undo: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Takes a change of a flag back.")

        @OptionGroup var client: ClientOptions
        @Option(help: "Service, as configured.") var service: String
        @Argument(help: "The flag's key.") var key: String
        @Option(help: "The change's id, from the ledger.") var change: String
        @Option(help: "Why; it is recorded.") var reason: String

        func run() async throws {
            let path = "/api/v1/flags/\(MainstayAPI.segment(service))/\(MainstayAPI.segment(key))"
            try await client.api().post(
                "\(path)/undo", .object(["change": .string(change), "reason": .string(reason)]))
            print("\(change) is undone.")
        }
    }
}
