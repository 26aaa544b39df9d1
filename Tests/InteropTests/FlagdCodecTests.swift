import Decide
import Interop
import Testing

@Suite("flagd definitions")
struct FlagdCodecTests {
    private func decode(_ text: String) throws(FlagdError) -> FlagSet {
        try FlagdCodec.decode(Array(text.utf8))
    }

    static let whole = """
        {
          "$schema": "https://flagd.dev/schema/v0/flags.json",
          "version": 12, "versions": {"favorites": 11},
          "flags": {
            "favorites": {
              "state": "ENABLED", "variants": {"v1": "v1", "v2": {"depth": 1.5}}, "defaultVariant": "v1",
              "targeting": {"if": [{"$ref": "isPro"}, "v2", null]}, "metadata": {"owner": "shop"}
            },
            "posts": {"state": "DISABLED", "variants": {"on": true}, "defaultVariant": null}
          },
          "$evaluators": {"isPro": {"==": [{"var": "plan"}, "pro"]}},
          "metadata": {"scope": "storefront", "fractionalVersion": 3}
        }
        """

    @Test("are read whole")
    func reads() throws {
        let set = try decode(Self.whole)
        #expect(set.version == 12)
        #expect(set.versions == ["favorites": 11])
        #expect(set.evaluators == ["isPro": ["==": [["var": "plan"], "pro"]]])
        #expect(set.metadata == ["scope": "storefront", "fractionalVersion": 3])
        #expect(
            set.flags["favorites"]
                == FlagDefinition(
                    variants: ["v1": "v1", "v2": ["depth": 1.5]], defaultVariant: "v1",
                    targeting: ["if": [["$ref": "isPro"], "v2", nil]], metadata: ["owner": "shop"]))
        #expect(set.flags["posts"] == FlagDefinition(state: .disabled, variants: ["on": true], defaultVariant: nil))
    }

    @Test("are written as one line that reads back the same, with the same bytes each time")
    func roundTrip() throws {
        let set = try decode(Self.whole)
        let bytes = FlagdCodec.encode(set)
        #expect(!bytes.contains(10))
        #expect(try FlagdCodec.decode(bytes) == set)
        #expect(FlagdCodec.encode(try FlagdCodec.decode(bytes)) == bytes)
    }

    @Test("may list the flags instead of naming them")
    func list() throws {
        let set = try decode(#"{"flags":[{"key":"a","state":"ENABLED","variants":{"x":1},"defaultVariant":"x"}]}"#)
        #expect(set.flags == ["a": FlagDefinition(variants: ["x": 1], defaultVariant: "x")])
        #expect(set.version == 0)
    }

    @Test(
        "that are wrong are refused whole, with the flag named",
        arguments: [
            ("", .notJSON, nil), ("{", .notJSON, nil), ("[]", .wrongShape, nil), ("{}", .wrongShape, nil),
            (#"{"flags":5}"#, .wrongShape, nil), (#"{"flags":{"f":5}}"#, .wrongShape, "f"),
            (#"{"flags":{"f":{"variants":{}}}}"#, .wrongShape, "f"),
            (#"{"flags":{"f":{"state":"on","variants":{}}}}"#, .wrongShape, "f"),
            (#"{"flags":{"f":{"state":"ENABLED"}}}"#, .wrongShape, "f"),
            (#"{"flags":{"f":{"state":"ENABLED","variants":{},"targeting":"x"}}}"#, .wrongShape, "f"),
            (#"{"flags":{"f":{"state":"ENABLED","variants":{},"metadata":1}}}"#, .wrongShape, "f"),
            (#"{"flags":{"f":{"state":"ENABLED","variants":{"a":1},"defaultVariant":"b"}}}"#, .badDefaultVariant, "f"),
            (#"{"flags":{"f":{"state":"ENABLED","variants":{"a":1},"defaultVariant":1}}}"#, .badDefaultVariant, "f"),
            (#"{"flags":[{"state":"ENABLED","variants":{}}]}"#, .wrongShape, nil),
            (
                #"{"flags":[{"key":"f","state":"ENABLED","variants":{}},{"key":"f","state":"ENABLED","variants":{}}]}"#,
                .wrongShape, "f"
            ),
            (#"{"flags":{},"version":"1"}"#, .wrongShape, nil),
            (#"{"flags":{},"versions":{"a":"1"}}"#, .wrongShape, nil),
            (#"{"flags":{},"$evaluators":[]}"#, .wrongShape, nil), (#"{"flags":{},"metadata":[]}"#, .wrongShape, nil),
        ] as [(String, FlagdError.Code, String?)])
    func refused(_ text: String, _ code: FlagdError.Code, _ flag: String?) {
        let error = #expect(throws: FlagdError.self) { try decode(text) }
        #expect(error?.code == code)
        #expect(error?.flag == flag)
        if let flag { #expect(error?.description.contains(flag) == true) }
    }

    @Test("the error for a bad default names the variants there are")
    func namesVariants() {
        let text = #"{"flags":{"f":{"state":"ENABLED","variants":{"b":1,"a":1},"defaultVariant":"c"}}}"#
        let error = #expect(throws: FlagdError.self) { try decode(text) }
        #expect(error?.message.contains("a, b") == true)
    }

    @Test("that are too large are refused unread")
    func tooLarge() {
        let error = #expect(throws: FlagdError.self) {
            try FlagdCodec.decode([UInt8](repeating: 32, count: FlagdCodec.maximumBytes + 1))
        }
        #expect(error?.code == .tooLarge)
    }

    @Test("whatever the bytes, reading and evaluating them ends without a crash", arguments: 0..<8)
    func fuzz(_ seed: UInt64) {
        var random = SplitMix64(state: seed)
        let base = Array(Self.whole.utf8)
        let tokens = [
            "{", "}", "[", "]", ",", ":", "\"", "null", "true", "-1e5", "1e999", #"{"var":""}"#, #"{"fractional":["#,
            #"{"reduce":["#, #"{"if":["#, "\\u", "\\ud800", "\u{0}", "ż", #"{"$ref":"isPro"}"#, "9223372036854775808",
        ].map { Array($0.utf8) }
        for _ in 0..<400 {
            var bytes = base
            for _ in 0...random.next() % 6 {
                let at = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.removeSubrange(at..<min(bytes.count, at + Int(random.next() % 20)))
                case 2: bytes.insert(contentsOf: tokens[Int(random.next() % UInt64(tokens.count))], at: at)
                default:
                    let from = Int(random.next() % UInt64(bytes.count))
                    bytes.insert(contentsOf: bytes[from..<min(bytes.count, from + 40)], at: at)
                }
                if bytes.isEmpty { bytes = base }
            }
            guard let set = try? FlagdCodec.decode(bytes) else { continue }
            let context = EvaluationContext(targetingKey: "u", attributes: ["plan": "pro"], timestamp: .epoch)
            let evaluations = CompiledFlagSet(compiling: set).evaluateAll(context: context)
            #expect(evaluations.count == set.flags.count)
            #expect((try? FlagdCodec.decode(FlagdCodec.encode(set))) == set)
        }
    }
}

/// Vigna's SplitMix64: the same numbers for the same seed, everywhere.
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
