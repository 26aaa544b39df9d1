import Testing

@testable import Interop

@Suite("Server-sent events")
struct EventStreamParserTests {
    private static let text = """
        \u{FEFF}: hello\r
        event: flags\r
        id: 7\r
        data: {"a":1}\r
        \r
        data:one
        data: two
        data

        event: nothing

        id
        data: ż\r\rretry: 5
        data: unfinished
        """

    private static let expected = [
        EventStreamParser.Event(name: "flags", id: "7", data: Array(#"{"a":1}"#.utf8)),
        EventStreamParser.Event(name: "message", id: "7", data: Array("one\ntwo\n".utf8)),
        EventStreamParser.Event(name: "message", id: "", data: Array("ż".utf8)),
    ]

    @Test("are the same however the bytes are cut", arguments: [1, 2, 3, 7, 1_000])
    func pieces(_ size: Int) throws {
        var parser = EventStreamParser(limit: 1_000)
        var events: [EventStreamParser.Event] = []
        var rest = Array(Self.text.utf8)[...]
        while !rest.isEmpty {
            events += try parser.feed(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        #expect(events == Self.expected)
    }

    @Test(
        "that are larger than the limit are refused",
        arguments: ["data: " + String(repeating: "x", count: 100), "data: 345678901\ndata: 345678901"])
    func limit(_ text: String) {
        var parser = EventStreamParser(limit: 20)
        #expect(throws: EventStreamParser.TooLarge(limit: 20)) { try parser.feed(Array(text.utf8)) }
    }
}
