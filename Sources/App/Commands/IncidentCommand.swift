import ArgumentParser
import Decide

/// `mainstay incident …`
struct IncidentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incident", abstract: "Lists incidents and acts on them.",
        subcommands: [List.self, Acknowledge.self, Resolve.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists incidents, newest first.")

        @OptionGroup var client: ClientOptions

        func run() async throws {
            let answer = try await client.api().get("/api/v1/incidents")
            if client.json { return try JSONPrinter.print(answer) }
            let incidents = answer["items"]?.array ?? []
            if incidents.isEmpty { print("No incidents.") }
            for incident in incidents {
                print(
                    "\(incident["id"]?.string ?? "?")  \(incident["status"]?.string ?? "?")  "
                        + (incident["title"]?.string ?? ""))
            }
        }
    }

    struct Acknowledge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ack", abstract: "Takes an incident on.")

        @OptionGroup var client: ClientOptions
        @Argument(help: "The incident's id.") var id: String

        func run() async throws {
            try await client.api().post("/api/v1/incidents/\(MainstayAPI.segment(id))/acknowledge")
            print("\(id) is acknowledged.")
        }
    }

    struct Resolve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Ends an incident.")

        @OptionGroup var client: ClientOptions
        @Argument(help: "The incident's id.") var id: String
        @Option(help: "Why it is over.") var reason: String

        func run() async throws {
            try await client.api().post(
                "/api/v1/incidents/\(MainstayAPI.segment(id))/resolve", .object(["reason": .string(reason)]))
            print("\(id) is resolved.")
        }
    }
}

/// `mainstay postmortem ID`
struct PostmortemCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postmortem", abstract: "Writes an incident's postmortem from the record, as Markdown.")

    @OptionGroup var client: ClientOptions
    @Argument(help: "The incident's id.") var id: String

    func run() async throws {
        let text = try await client.api().text("/api/v1/incidents/\(MainstayAPI.segment(id))/postmortem")
        print(text)
    }
}
