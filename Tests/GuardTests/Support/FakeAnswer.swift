import NIOCore
import PGWire

/// What servers say, put together.
enum FakeAnswer {
    /// `SELECT 'x'` gives x, everything else nothing.
    static func usual(_ event: FakePostgres.Heard) -> [FakePostgres.Step] {
        switch event {
        case .query(let text):
            if let value = selected(text) { return [.send(whole([value]))] }
            return [.send(done(text.split(separator: " ").first.map(String.init) ?? "SET"))]
        case .message("X"): return [.close]
        default: return []
        }
    }

    private static func selected(_ text: String) -> String? {
        let parts = text.split(separator: "'", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0] == "SELECT " && parts[2].isEmpty ? String(parts[1]) : nil
    }

    static func make(_ write: (inout ByteBuffer) -> Void) -> ByteBuffer {
        var bytes = ByteBuffer()
        write(&bytes)
        return bytes
    }

    /// A result of one column, whole.
    static func whole(_ values: [String]) -> ByteBuffer {
        make { bytes in
            bytes.writeColumns()
            for value in values { bytes.writeRow(value) }
            bytes.writeTag("SELECT \(values.count)")
            bytes.writeReady()
        }
    }

    static func done(_ tag: String, status: Character = "I") -> ByteBuffer {
        make { bytes in
            bytes.writeTag(tag)
            bytes.writeReady(status)
        }
    }
}

extension ByteBuffer {
    mutating func writeColumns() {
        writePGFrame("T") { frame in
            frame.writeInteger(Int16(1))
            frame.writePGString("value")
            frame.writeInteger(Int32(0))
            frame.writeInteger(Int16(0))
            frame.writeInteger(Int32(25))
            frame.writeInteger(Int16(-1))
            frame.writeInteger(Int32(-1))
            frame.writeInteger(Int16(0))
        }
    }

    mutating func writeRow(_ value: String) {
        writePGFrame("D") { frame in
            frame.writeInteger(Int16(1))
            frame.writeInteger(Int32(value.utf8.count))
            frame.writeString(value)
        }
    }

    mutating func writeTag(_ tag: String) { writePGFrame("C") { $0.writePGString(tag) } }

    mutating func writeReady(_ status: Character = "I") {
        writePGReadyForQuery(status: status.asciiValue ?? 0)
    }

    /// The server reads data now, of one column.
    mutating func writeCopyIn() {
        writePGFrame("G") { frame in
            frame.writeInteger(UInt8(0))
            frame.writeInteger(Int16(1))
            frame.writeInteger(Int16(0))
        }
    }

    mutating func writeCopyOut() {
        writePGFrame("H") { frame in
            frame.writeInteger(UInt8(0))
            frame.writeInteger(Int16(1))
            frame.writeInteger(Int16(0))
        }
    }
}
