import Foundation
import Testing

@testable import Decide

@Suite("JSON values in storage")
struct JSONValueCodableTests {
    @Test(
        "what was parsed can be stored and read again",
        arguments: [
            "-4.919018049169786e-221", "1e-5", "5e-324", "1.7976931348623157e308", "9223372036854775807",
            "9223372036854775808", "-9223372036854775809", "0.1", "-0", "1.0", "true", "null", "\"\\u0000\"", "[[],{}]",
            "{\"\":[{\"\":-1e-300}]}",
        ])
    func roundTrip(_ text: String) throws {
        let value = try JSONValue(parsing: text)
        let stored = try JSONEncoder().encode(["a": value])
        let read = try JSONDecoder().decode([String: JSONValue].self, from: stored)
        let again = try JSONEncoder().encode(read)
        #expect(stored == again)
        #expect(read["a"]?.number == value.number)
    }
}
