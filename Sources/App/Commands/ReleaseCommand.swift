import ArgumentParser
import Decide
import Foundation

/// `mainstay release …`
struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Creates, approves and starts releases.",
        subcommands: [Create.self, Approve.self, Start.self, Show.self, List.self])

    /// `mainstay release create`: a release with its evidence, and the gate's answer.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates a release, attaches its test reports, and says what the gate thinks.",
            discussion: "Exits with 1 when the gate blocks it, so that a pipeline stops there.")

        @OptionGroup var client: ClientOptions
        @Option(help: "Service, as configured.") var service: String
        @Option(help: "Feature that the release changes.") var feature: String
        @Option(help: "Commit: 7 to 64 hexadecimal digits.") var commit: String
        @Option(help: "The flag's variant that the release brings; default: the last by name that is not the default.")
        var variant: String?
        @Option(help: "Who wrote it; default: the token's account.") var author: String?
        @Option(parsing: .upToNextOption, help: "JUnit test reports of this very commit.") var junit: [String] = []
        @ArgumentParser.Flag(help: "Start the rollout at once.") var start = false
        @ArgumentParser.Flag(help: "Start it although the gate blocks it; needs --reason.") var force = false
        @Option(help: "Why it is forced.") var reason: String?

        func validate() throws {
            if force, reason?.isEmpty ?? true { throw ValidationError("--force needs a --reason; it is recorded.") }
        }

        func run() async throws {
            let api = try client.api()
            var body: [String: JSONValue] = [
                "service": .string(service), "feature": .string(feature), "commit": .string(commit),
                "variant": .string(try await chosenVariant(api)),
            ]
            if let author { body["author"] = .string(author) }
            var release = try await api.post("/api/v1/releases", .object(body))
            guard let id = release["id"]?.string else { throw ValidationError("Mainstay's answer has no release id.") }
            let path = "/api/v1/releases/\(MainstayAPI.segment(id))"
            for file in junit {
                guard let data = FileManager.default.contents(atPath: file) else {
                    throw ValidationError("\(file) cannot be read.")
                }
                let source = MainstayAPI.segment(URL(fileURLWithPath: file).lastPathComponent)
                try await api.post("\(path)/evidence?source=\(source)", bytes: Array(data), type: "application/xml")
            }
            if force || start {
                var options: [String: JSONValue] = ["force": .bool(force)]
                if let reason { options["reason"] = .string(reason) }
                try await api.post("\(path)/start", .object(options))
            }
            release = try await api.get(path)
            try ReleasePrinter.print(release, json: client.json)
            if !force, release["gate"]?["allowed"]?.bool != true { throw ExitCode.failure }
        }

        /// Variants are named in the order they are made, so that the last one is most likely the new one; which was
        /// taken is said, because it may not be.
        private func chosenVariant(_ api: MainstayAPI) async throws -> String {
            if let variant { return variant }
            let services = try await api.get("/api/v1/services")["items"]?.array ?? []
            let features = services.first { $0["name"]?.string == service }?["features"]?.array ?? []
            guard let flag = features.first(where: { $0["name"]?.string == feature })?["flag"]?.string else {
                throw ValidationError("Feature \(feature) of \(service) has no flag in the configuration.")
            }
            let path = "/api/v1/flags/\(MainstayAPI.segment(service))/\(MainstayAPI.segment(flag))"
            let definition = try await api.get(path)["definition"]
            let standard = definition?["defaultVariant"]?.string
            let others = (definition?["variants"]?.object?.keys.sorted() ?? []).filter { $0 != standard }
            guard let last = others.last else {
                throw ValidationError("Flag \(flag) has no variant but its default: nothing could be rolled out.")
            }
            if others.count > 1 {
                let note = "Variant \(last) (of \(others.joined(separator: ", "))); choose with --variant.\n"
                FileHandle.standardError.write(Data(note.utf8))
            }
            return last
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Approves a release of someone else's.")

        @OptionGroup var client: ClientOptions
        @Argument(help: "The release's id.") var id: String
        @Option(help: "The commit that was looked at.") var commit: String

        func run() async throws {
            let path = "/api/v1/releases/\(MainstayAPI.segment(id))"
            try await client.api().post("\(path)/approve", .object(["commit": .string(commit)]))
            try ReleasePrinter.print(try await client.api().get(path), json: client.json)
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Starts a release's rollout.")

        @OptionGroup var client: ClientOptions
        @Argument(help: "The release's id.") var id: String
        @ArgumentParser.Flag(help: "Although the gate blocks it; needs --reason.") var force = false
        @Option(help: "Why it is forced.") var reason: String?

        func run() async throws {
            let path = "/api/v1/releases/\(MainstayAPI.segment(id))"
            var body: [String: JSONValue] = ["force": .bool(force)]
            if let reason { body["reason"] = .string(reason) }
            try await client.api().post("\(path)/start", .object(body))
            try ReleasePrinter.print(try await client.api().get(path), json: client.json)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows a release with every reason of the gate.")

        @OptionGroup var client: ClientOptions
        @Argument(help: "The release's id.") var id: String

        func run() async throws {
            let release = try await client.api().get("/api/v1/releases/\(MainstayAPI.segment(id))")
            try ReleasePrinter.print(release, json: client.json)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists releases, newest first.")

        @OptionGroup var client: ClientOptions

        func run() async throws {
            let answer = try await client.api().get("/api/v1/releases")
            if client.json { return try JSONPrinter.print(answer) }
            for release in answer["items"]?.array ?? [] {
                print("\(release["id"]?.string ?? "?")  \(release["status"]?.string ?? "?")")
            }
        }
    }
}

enum ReleasePrinter {
    static func print(_ release: JSONValue, json: Bool) throws {
        if json { return try JSONPrinter.print(release) }
        Swift.print("\(release["id"]?.string ?? "?"): \(release["status"]?.string ?? "?")")
        for reason in release["gate"]?["reasons"]?.array ?? [] {
            let holds = reason["holds"]?.bool == true
            Swift.print("  \(holds ? "✓" : "✗") \(reason["text"]?.string ?? "")")
        }
    }
}

enum JSONPrinter {
    static func print(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        Swift.print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
