import PGWire

/// A release in a client's `application_name`, written as `name@release`. The whole is kept: two programs on one
/// database may have releases of one name.
enum Release {
    /// Bytes of what follows the name.
    static let lengthLimit = 64

    static func name(in application: String) -> String? {
        guard let at = application.lastIndex(of: "@") else { return nil }
        let release = application[application.index(after: at)...]
        guard !release.isEmpty, release.utf8.count <= lengthLimit else { return nil }
        return ReleaseNames.name(of: release, by: application[..<at])
    }
}
