/// Where something stands: lines and columns count from 1, columns in Unicode code points.
package struct SourcePlace: Hashable, Sendable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    package var description: String { "\(file):\(line):\(column)" }
}

/// The text of a file, and the way from an offset in it to line and column.
package struct SourceText: Sendable {
    package let file: String
    package let bytes: [UInt8]
    private let lineStarts: [Int]

    package init(file: String, bytes: [UInt8]) {
        self.file = file
        self.bytes = bytes
        lineStarts = [0] + bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    }

    package init(file: String, text: String) { self.init(file: file, bytes: Array(text.utf8)) }

    /// - Parameter offset: in bytes; one past the end is the end.
    package func place(atByte offset: Int) -> SourcePlace {
        let offset = min(max(offset, 0), bytes.count)
        let line = lineIndex(of: offset)
        let before = bytes[lineStarts[line]..<offset]
        let column = before.count { $0 & 0xC0 != 0x80 } + 1
        return SourcePlace(file: file, line: line + 1, column: column)
    }

    func lineIndex(of offset: Int) -> Int {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }
}
