import ArgumentParser

@main
struct StorefrontCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storefront", abstract: "A small shop: the service that Mainstay's outages happened to.",
        subcommands: [ServeCommand.self], defaultSubcommand: ServeCommand.self)
}
