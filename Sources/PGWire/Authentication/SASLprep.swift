/// Prepares a password for SCRAM, so that "ä" typed as one character or as two is one password (RFC 4013).
///
/// Done as PostgreSQL does it, because both ends must come to the same bytes, the RFC or not:
/// - ASCII stays as it is, control characters included.
/// - What is not UTF-8, or has characters that the RFC prohibits or did not know (emoji, for one), or mixes writing
///   directions, is used as it is instead of being refused.
/// - Prohibited characters are looked for before normalisation, not after it.
enum SASLprep {
    static func prepare(_ password: [UInt8]) -> [UInt8] {
        guard password.contains(where: { $0 >= 0x80 }), let text = String(validating: password, as: UTF8.self) else {
            return password
        }
        let mapped = map(text)
        guard !mapped.isEmpty, mapped.allSatisfy(isAllowed), isOneDirection(mapped) else { return password }
        return Array(Normalization.nfkc(mapped).utf8)
    }

    /// Spaces of all kinds become spaces; what is never seen vanishes.
    private static func map(_ text: String) -> [Unicode.Scalar] {
        text.unicodeScalars.compactMap { scalar in
            if SASLprepTables.spaces.contains(scalar) { return " " }
            return SASLprepTables.mappedToNothing.contains(scalar) ? nil : scalar
        }
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        !SASLprepTables.prohibited.contains(scalar) && !SASLprepTables.unassigned.contains(scalar)
    }

    private static func isOneDirection(_ scalars: [Unicode.Scalar]) -> Bool {
        let rightToLeft = SASLprepTables.rightToLeft
        guard scalars.contains(where: rightToLeft.contains) else { return true }
        guard let first = scalars.first, let last = scalars.last else { return true }
        return rightToLeft.contains(first) && rightToLeft.contains(last)
            && !scalars.contains(where: SASLprepTables.leftToRight.contains)
    }
}
