import ArgumentParser

/// `mainstay`: everything there is, as commands.
package struct MainstayCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "mainstay",
        abstract: "Keeps a service's features working: gates a change, proves it, takes it back, says what happened.",
        version: Version.current,
        subcommands: [
            ServeCommand.self, CheckCommand.self, ReleaseCommand.self, FlagCommand.self, IncidentCommand.self,
            PostmortemCommand.self, DrillCommand.self, ReviewCommand.self, GuardCommand.self,
        ])

    package init() {}
}

package enum Version {
    package static let current = "0.1.0"
}
