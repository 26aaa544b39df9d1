import Decide

extension Policy {
    /// What to say about a feature that there is none of: `is no feature of shop; did you mean 'favorites'?`
    func unknown(feature: String, of service: String) -> String {
        let known = services[service]?.features.keys.sorted() ?? []
        let said = "is no feature of \(service)"
        if let nearest = NearestName.find(feature, among: known) { return "\(said); did you mean '\(nearest)'?" }
        return known.isEmpty ? said : "\(said); there are: \(known.prefix(20).joined(separator: ", "))"
    }
}

enum NearestName {
    /// The known name that takes the fewest edits, if these are few for its length.
    static func find(_ name: String, among known: [String]) -> String? {
        let typed = Array(name.lowercased().prefix(80))
        return known.map { (name: $0, edits: edits(typed, Array($0.lowercased()))) }
            .filter { $0.edits <= max(1, $0.name.count / 3) }.min { $0.edits < $1.edits }?.name
    }

    /// Levenshtein distance.
    private static func edits(_ one: [Character], _ other: [Character]) -> Int {
        var row = Array(0...other.count)
        for (index, letter) in one.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, there) in other.enumerated() {
                let above = row[column + 1]
                row[column + 1] = min(above + 1, row[column] + 1, diagonal + (letter == there ? 0 : 1))
                diagonal = above
            }
        }
        return row[other.count]
    }
}
