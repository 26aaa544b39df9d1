/// Bytes that nobody may read: passwords and keys.
///
/// They do not show in descriptions, and comparing them takes as long for bytes that differ early as for equal ones, so
/// that durations do not tell how much of a guess is right. Only the length shows.
package struct SecretBytes: Sendable {
    package var bytes: [UInt8]

    package init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }
}

extension SecretBytes: Equatable {
    package static func == (lhs: SecretBytes, rhs: SecretBytes) -> Bool {
        guard lhs.bytes.count == rhs.bytes.count else { return false }
        return zip(lhs.bytes, rhs.bytes).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
