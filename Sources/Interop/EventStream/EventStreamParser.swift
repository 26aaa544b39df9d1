/// Server-sent events (WHATWG HTML §9.2) from bytes that arrive in pieces of any size.
package struct EventStreamParser: Sendable {
    package struct Event: Hashable, Sendable {
        /// `message` unless the server says otherwise.
        package var name: String
        /// The last id that the server gave, which holds until it gives another.
        package var id: String
        package var data: [UInt8]
    }

    /// The server sent an event or a line larger than the limit.
    package struct TooLarge: Error, Hashable, Sendable {
        package var limit: Int
    }

    private let limit: Int
    private var line: [UInt8] = []
    private var name = ""
    private var id = ""
    private var data: [UInt8] = []
    private var hasData = false
    private var followsReturn = false
    private var isAtStart = true

    /// - Parameter limit: bytes of one event's data, and of one line.
    package init(limit: Int) {
        self.limit = limit
    }

    /// Takes the next bytes; gives the events they complete.
    package mutating func feed(_ bytes: some Collection<UInt8>) throws(TooLarge) -> [Event] {
        var events: [Event] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(where: { $0 == 10 || $0 == 13 }) {
            let isSecondOfPair = rest[end] == 10 && followsReturn && end == rest.startIndex && line.isEmpty
            followsReturn = rest[end] == 13
            if !isSecondOfPair {
                try take(rest[..<end])
                if let event = finishLine() { events.append(event) }
            }
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty {
            followsReturn = false
            try take(rest)
        }
        return events
    }

    private mutating func take(_ part: some Collection<UInt8>) throws(TooLarge) {
        guard line.count + part.count + data.count <= limit else { throw TooLarge(limit: limit) }
        line += part
    }

    private mutating func finishLine() -> Event? {
        defer { line.removeAll(keepingCapacity: true) }
        if isAtStart, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        isAtStart = false
        if line.isEmpty { return dispatch() }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "event": name = String(decoding: value, as: UTF8.self)
        case "id": if !value.contains(0) { id = String(decoding: value, as: UTF8.self) }
        case "data":
            if hasData { data.append(10) }
            hasData = true
            data += value
        // A comment (no name before the colon), `retry`, and what is not known.
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> Event? {
        defer {
            name = ""
            data = []
            hasData = false
        }
        guard hasData else { return nil }
        return Event(name: name.isEmpty ? "message" : name, id: id, data: data)
    }
}
