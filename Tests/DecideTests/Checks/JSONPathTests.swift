import Decide
import Testing

@Suite("JSONPath")
struct JSONPathTests {
    static let document: JSONValue = [
        "items": [
            ["product": 1, "name": "a", "price": 8.5, "tags": ["x", "y"]],
            ["product": 2, "name": "b", "price": 12],
            ["product": "007", "name": "c", "price": 20, "tags": []],
        ],
        "empty": [], "nothing": nil, "user": ["name": "ada", "it's": true, "a.b": 1],
    ]

    @Test(
        "selects as RFC 9535 says",
        arguments: [
            ("$.user.name", ["ada"]),
            ("$['user']['name']", ["ada"]),
            ("$[\"user\"].name", ["ada"]),
            (#"$.user['it\'s']"#, [true]),
            ("$.user['a.b']", [1]),
            ("$.items[0].product", [1]),
            ("$.items[-1].product", ["007"]),
            ("$.items[9].product", []),
            ("$.items[*].product", [1, 2, "007"]),
            ("$.items.*.name", ["a", "b", "c"]),
            ("$.items[0,2].name", ["a", "c"]),
            ("$.items[1:].name", ["b", "c"]),
            ("$.items[:2].name", ["a", "b"]),
            ("$.items[::2].name", ["a", "c"]),
            ("$.items[::-1].name", ["c", "b", "a"]),
            ("$.items[-2:].name", ["b", "c"]),
            ("$.items[::0].name", []),
            ("$.items[?@.product == 2].name", ["b"]),
            ("$.items[?@.product == '007'].name", ["c"]),
            ("$.items[?(@.price > 10 && @.price < 15)].name", ["b"]),
            ("$.items[?@.price >= 12 || @.name == 'a'].name", ["a", "b", "c"]),
            ("$.items[?!@.tags].name", ["b"]),
            ("$.items[?@.tags].name", ["a", "c"]),
            ("$.items[?length(@.tags) == 2].name", ["a"]),
            ("$.items[?count(@.tags[*]) == 0].name", ["b", "c"]),
            ("$.items[?@.name != $.user.name].name", ["a", "b", "c"]),
            ("$.items[?@['product'] == {{wanted}}].name", ["b"]),
            ("$..name", ["a", "b", "c", "ada"]),
            ("$..tags[0]", ["x"]),
            ("$.empty[*]", []),
            ("$.nothing", [nil]),
        ] as [(String, [JSONValue])])
    func selects(path: String, expected: [JSONValue]) throws {
        let found = try JSONPath(parsing: path).select(from: Self.document, variables: ["wanted": 2])
        #expect(found.values == expected)
    }

    @Test(
        "refuses what it does not understand, with the reason",
        arguments: [
            ("items", "must begin with $"), ("$.", "a name is expected"), ("$.a[", "is expected"),
            ("$.a[0", "']' is missing"),
            ("$.first-name", "'-' was not expected"), ("$.a[?@.b ==]", "a value to compare with"),
            ("$.a['b]", "closing quote"), ("$.a[?match(@.b, 'c')]", "'match' is not known"),
            ("$.a[?@[*] == 1]", "one value"), ("$.a[99999999999999999999]", "not an index"),
            ("$.a[?{{}} == 1]", "not a variable"),
            ("$" + String(repeating: "[?(@.a", count: 30), "nested deeper"),
            ("$." + String(repeating: "a", count: 2_000), "longer than"),
        ])
    func refuses(path: String, reason: String) {
        let error = #expect(throws: DefinitionError.self) { try JSONPath(parsing: path) }
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "nothing")")
    }

    @Test(
        "says why finding nothing proves nothing",
        arguments: [
            ("$.orders[*].id", "$.orders is missing"),
            ("$.orders.id", "$.orders is missing"),
            ("$.nothing.id", "$.nothing is null, so it has no .id"),
            ("$.user[0]", "so it has no [0]"),
            ("$.nothing[*]", "$.nothing is null, not a list or object"),
            ("$.items[*].sku", "3 of 3 values have no .sku"),
            ("$.items[*].tags", "1 of 3 values have no .tags"),
            ("$.items[?@.sku == 7]", "none of the values in $.items has .sku"),
            ("$.items[?@.name == 7]", "none of the values in $.items has a number as .name"),
            ("$.items[?@.price == {{text}}]", "none of the values in $.items has a text as .price"),
        ])
    func gaps(path: String, gap: String) throws {
        let found = try JSONPath(parsing: path).select(from: Self.document, variables: ["text": "8.5"])
        #expect(found.gap?.contains(gap) == true, "\(found.gap ?? "no gap")")
    }

    @Test(
        "an empty list, an absent member and a filter that matches nothing are honest absences",
        arguments: ["$.empty[*].sku", "$.user.email", "$.items[?@.product == 9]", "$.items[5]", "$..sku"])
    func honest(path: String) throws {
        let found = try JSONPath(parsing: path).select(from: Self.document)
        #expect(found.values.isEmpty)
        #expect(found.gap == nil)
    }

    @Test("a query that would visit too much is refused")
    func bounded() throws {
        let row = JSONValue.array(Array(repeating: 1, count: 400))
        let table = JSONValue.array(Array(repeating: row, count: 400))
        #expect(throws: DefinitionError.self) { try JSONPath(parsing: "$..*").select(from: table) }
    }

    @Test("an unknown variable is an error, not an empty result")
    func unknownVariable() throws {
        let path = try JSONPath(parsing: "$.items[?@.product == {{x}}]")
        #expect(throws: DefinitionError.self) { try path.select(from: Self.document) }
    }
}

@Suite("JSON text")
struct JSONTextTests {
    @Test(
        "is read and written back the same",
        arguments: [
            "null", "true", "[1,-2,3.5]", #"{"a":"b\n\"c\\","d":[]}"#, "\"007\"", "9223372036854775807", "\"é😀\"", "{}",
            #""\u0001""#,
        ])
    func roundTrip(text: String) throws {
        #expect(try JSONValue(parsing: text).compactText == text)
    }

    @Test("keeps integers, doubles and text apart")
    func types() throws {
        #expect(
            try JSONValue(parsing: "[1, 1.0, \"1\", 1e2, 9223372036854775808]")
                == [1, 1.0, "1", 100.0, .double(9_223_372_036_854_775_808)])
        #expect(try JSONValue(parsing: #""\ud83d\ude00 \u00e9 \ud83d""#) == "😀 é \u{FFFD}")
    }

    @Test(
        "is refused when it is not JSON",
        arguments: [
            "", "{", "[1,]", "{\"a\" 1}", "tru", "01", "1.", "-", "\"a", "\"\n\"", "\"\\x\"", "[1] 2", "nul", "1e999",
            "'a'",
            "{a:1}", "\"\\u12\"",
        ])
    func refuses(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
    }

    @Test("is refused when it nests too deep or is not UTF-8")
    func hostile() {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: String(repeating: "[", count: 100_000)) }
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
    }
}
