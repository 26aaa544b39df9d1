/// Releases' names as small numbers, so that counting a statement touches no text. 0: nobody named one.
///
/// Clients may name whatever they like: past the limit the older half is forgotten. A name that comes again then has
/// another number, and whoever keeps something by number keeps the name beside it.
package final class ReleaseNames {
    package static let limit = 1_000
    /// Bytes of a name; longer ones count as none.
    package static let lengthLimit = 128

    private var numbers: [String: UInt32] = [:]
    private var names: [UInt32: String] = [:]
    private var last: UInt32 = 0

    package init() {}

    /// `shop@5f2c1e7`; the release alone where no program is told, or its name is too long.
    package static func name(of release: some StringProtocol, by program: some StringProtocol) -> String {
        let isWhole = !program.isEmpty && program.utf8.count + 1 + release.utf8.count <= lengthLimit
        return isWhole ? "\(program)@\(release)" : String(release)
    }

    package func number(of name: String) -> UInt32 {
        if let known = numbers[name] { return known }
        guard !name.isEmpty, name.utf8.count <= Self.lengthLimit else { return 0 }
        if numbers.count >= Self.limit { forgetOlderHalf() }
        last &+= 1
        if last == 0 { last = 1 }
        numbers[name] = last
        names[last] = name
        return last
    }

    /// Empty when it was forgotten.
    package func name(of number: UInt32) -> String {
        number == 0 ? "" : names[number] ?? ""
    }

    private func forgetOlderHalf() {
        for number in names.keys.sorted().prefix(Self.limit / 2) {
            guard let name = names.removeValue(forKey: number) else { continue }
            numbers[name] = nil
        }
    }
}
