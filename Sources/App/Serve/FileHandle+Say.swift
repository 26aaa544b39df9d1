import Foundation

extension FileHandle {
    /// For whoever reads along. That nobody does any more must not end a server, as `write(_:)` would.
    func say(_ line: String) {
        do {
            try write(contentsOf: Data("\(line)\n".utf8))
        } catch {
            // There is nobody to tell.
        }
    }
}
