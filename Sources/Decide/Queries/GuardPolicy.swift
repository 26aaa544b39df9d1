/// Who is told about what a guard decides.
package struct GuardPolicy: Hashable, Sendable, Codable {
    /// The desk where a database's alerts go.
    package struct Desk: Hashable, Sendable {
        package var service: String
        package var feature: String

        package var id: String { "\(service)/\(feature)" }
    }

    /// Stands for every database that is not named.
    package static let anyDatabase = "*"
    /// The service of databases that belong to none.
    package static let ownService = "guard"

    /// Paged for databases that name no service.
    package var team: String?
    /// By database as clients name it: the service whose changes are suspected and whose team is paged.
    package var services: [String: String]
    /// Whether what would have been done (`observe`) pages as well.
    package var pagesObserved: Bool

    package init(team: String? = nil, services: [String: String] = [:], pagesObserved: Bool = false) {
        self.team = team
        self.services = services
        self.pagesObserved = pagesObserved
    }

    package func service(of database: String) -> String? {
        services[database] ?? services[Self.anyDatabase]
    }

    /// A desk of the database's own, so that a feature of the same name keeps its incidents apart. What cannot stand in
    /// an incident's id becomes a dash: clients may name any database.
    package func desk(of database: String) -> Desk {
        let name = String(
            database.prefix(64).map { letter in
                letter.isASCII && (letter.isLetter || letter.isNumber) || "_.".contains(letter) ? letter : "-"
            })
        return Desk(service: service(of: database) ?? Self.ownService, feature: "database-\(name)")
    }
}
