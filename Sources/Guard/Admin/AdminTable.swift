import NIOCore
import PGWire

/// Rows of text, as the protocol sends them.
struct AdminTable {
    var columns: [String]
    var rows: [[String]]

    init(_ columns: [String], _ rows: [[String]] = []) {
        self.columns = columns
        self.rows = rows
    }

    private static let textType: UInt32 = 25

    func write(to bytes: inout ByteBuffer, tag: String) {
        bytes.writePGFrame("T") { frame in
            frame.writeInteger(UInt16(clamping: columns.count))
            for column in columns {
                frame.writePGString(column)
                frame.writeInteger(UInt32(0))
                frame.writeInteger(UInt16(0))
                frame.writeInteger(Self.textType)
                frame.writeInteger(Int16(-1))
                frame.writeInteger(Int32(-1))
                frame.writeInteger(UInt16(0))
            }
        }
        for row in rows {
            bytes.writePGFrame("D") { frame in
                frame.writeInteger(UInt16(clamping: row.count))
                for value in row {
                    frame.writeInteger(UInt32(value.utf8.count))
                    frame.writeString(value)
                }
            }
        }
        bytes.writeCommand(tag)
    }
}

extension ByteBuffer {
    mutating func writeCommand(_ tag: String) {
        writePGFrame("C") { $0.writePGString(tag) }
    }

    mutating func writeEmptyQuery() {
        writePGFrame("I")
    }
}
