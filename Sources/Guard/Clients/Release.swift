/// A release in a client's `application_name`, written as `name@release`.
enum Release {
    static let lengthLimit = 64

    static func name(in application: String) -> String? {
        guard let at = application.lastIndex(of: "@") else { return nil }
        let release = application[application.index(after: at)...]
        return release.isEmpty || release.utf8.count > lengthLimit ? nil : String(release)
    }
}
