import Testing

@testable import Decide

@Suite("fractional")
struct FlagsFractionalTests {
    private func evaluate(
        _ rule: String, key: String? = nil, attributes: [String: JSONValue] = [:], version: JSONValue? = nil
    ) throws -> JSONValue {
        var compiler = LogicCompiler(flagKey: "flag", evaluators: [:], fractionalVersion: version)
        let node = try compiler.compile(try JSONValue(parsing: rule))
        var run = LogicRun(
            flagKey: "flag",
            context: EvaluationContext(targetingKey: key, attributes: attributes, timestamp: .epoch))
        return try run.value(of: node)
    }

    @Test(
        "murmur3 gives the published hashes",
        arguments: [
            ("ejOoVL", 0), ("bY9fO-", 1), ("SI7p-", 2_147_483_647), ("6LvT0", 2_147_483_648),
            ("ceQdGm", 4_294_967_295), ("", 0), ("hello", 0x248b_fa47), ("test", 0xba6b_d213),
            ("Hello, world!", 0xc036_3e43),
        ] as [(String, UInt32)])
    func murmur(_ text: String, _ hash: UInt32) {
        #expect(Murmur3.hash32(text) == hash)
        #expect(Murmur3.hash32(Array(text.utf8)) == hash)
    }

    @Test("a seed changes the hash")
    func seed() {
        #expect(Murmur3.hash32("test", seed: 0x9747_b28c) == 0x704b_81dc)
        #expect(Murmur3.hash32("", seed: 1) == 0x514e_28b7)
    }

    @Test(
        "the edges of the hash fall into the buckets they belong to",
        arguments: [("ejOoVL", "a"), ("bY9fO-", "a"), ("SI7p-", "a"), ("6LvT0", "b"), ("ceQdGm", "b")])
    func edges(_ key: String, _ variant: String) throws {
        let buckets = #"["a",50],["b",50]"#
        #expect(try evaluate(#"{"fractional":["\#(key)",\#(buckets)]}"#) == .string(variant))
        #expect(
            try evaluate(#"{"fractional":[{"var":"k"},\#(buckets)]}"#, attributes: ["k": .string(key)])
                == .string(variant))
        // The same with weights that must be computed.
        let computed = #"["a",{"+":[20,30]}],[{"cat":["","b"]},{"var":"w"}]"#
        #expect(try evaluate(#"{"fractional":["\#(key)",\#(computed)]}"#, attributes: ["w": 50]) == .string(variant))
    }

    @Test("without a key of its own, flag and targeting key place the user")
    func implicitKey() throws {
        let rule = #"{"fractional":[["a",1],["b",1],["c",1],["d",1]]}"#
        let explicit =
            #"{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"targetingKey"}]},["a"],["b"],["c"],["d"]]}"#
        let missing = #"{"fractional":[{"var":"nothing"},["a",1],["b",1],["c",1],["d",1]]}"#
        for user in 0..<50 {
            let result = try evaluate(rule, key: "user\(user)")
            #expect(try evaluate(explicit, key: "user\(user)") == result)
            #expect(try evaluate(missing, key: "user\(user)") == result)
        }
    }

    @Test(
        "gives null when nobody can be placed",
        arguments: [
            #"{"fractional":[["a",1],["b",1]]}"#, #"{"fractional":["k",["a",0],["b",0]]}"#,
            #"{"fractional":["k",["a",-1]]}"#, #"{"fractional":["k"]}"#, #"{"fractional":[]}"#,
            #"{"fractional":["k",["a",2147483647],["b",1]]}"#, #"{"fractional":["k",["a",0.5]]}"#,
            #"{"fractional":["k",["a","1"]]}"#, #"{"fractional":["k",[]]}"#, #"{"fractional":["k","a"]}"#,
            #"{"fractional":[5,["a",1]]}"#, #"{"fractional":["k",[{"merge":[1]},1]]}"#,
        ])
    func null(_ rule: String) throws {
        #expect(try evaluate(rule) == .null)
        #expect(try evaluate(#"{"fractional":[["a",1],["b",1]]}"#, key: "") == .null)
        #expect(try evaluate(#"{"fractional":[["a",1],["b",1]]}"#, attributes: ["targetingKey": 5]) == .null)
    }

    @Test(
        "users land where flagd's own tests put them",
        arguments: [
            ("fractional-flag", "jack", "hearts"), ("fractional-flag", "queen", "spades"),
            ("fractional-flag", "ten", "clubs"), ("fractional-flag", "nine", "diamonds"),
            ("fractional-flag", "3", "clubs"), ("shared-seed", "seven", "hearts"), ("shared-seed", "eight", "diamonds"),
            ("shared-seed", "nine", "clubs"), ("shared-seed", "two", "spades"),
        ])
    func published(_ seed: String, _ name: String, _ variant: String) throws {
        let rule = #"""
            {"fractional":[{"cat":["\#(seed)",{"var":"user.name"}]},
              ["clubs",25],["diamonds",25],["hearts",25],["spades",25]]}
            """#
        #expect(try evaluate(rule, attributes: ["user": ["name": .string(name)]]) == .string(variant))
    }

    @Test("so do computed buckets", arguments: [("jon@company.com", "red"), ("user1", "blue")])
    func publishedComputed(_ key: String, _ variant: String) throws {
        let rule = #"{"fractional":[{"var":"targetingKey"},[{"var":"color"},50],["blue",50]]}"#
        #expect(try evaluate(rule, key: key, attributes: ["color": "red"]) == .string(variant))
        #expect(try evaluate(rule, key: "jon@company.com") == .null)
    }

    @Test("the only bucket takes everyone, also without a key")
    func onlyBucket() throws {
        #expect(try evaluate(#"{"fractional":[["single",1]]}"#) == "single")
        #expect(try evaluate(#"{"fractional":[["single",{"+":[0,1]}]]}"#) == "single")
        #expect(try evaluate(#"{"fractional":[["single",0]]}"#) == .null)
    }

    @Test("a bucket may be true or false, for use as a condition")
    func condition() throws {
        #expect(try evaluate(#"{"if":[{"fractional":[[false,0],[true,100]]},"big","small"]}"#, key: "u") == "big")
        #expect(try evaluate(#"{"if":[{"fractional":[[false,100],[true,0]]},"big","small"]}"#, key: "u") == "small")
    }

    @Test("the largest total of weights works")
    func largestTotal() throws {
        #expect(try evaluate(#"{"fractional":["ceQdGm",["a",2147483646],["b",1]]}"#) == "b")
        #expect(try evaluate(#"{"fractional":["6LvT0",["a",2147483646],["b",1]]}"#) == "a")
    }

    @Test("a bucket may hold another fractional")
    func nested() throws {
        let rule = #"{"fractional":["k",[{"fractional":["ceQdGm",["a",1],["b",1]]},1]]}"#
        #expect(try evaluate(rule) == "b")
    }

    @Test("version 3 places users by the CBOR of any value")
    func version3() throws {
        let buckets = (0..<16).map { "[\"\($0)\",1]" }.joined(separator: ",")
        func expected(_ bytes: [UInt8]) -> JSONValue {
            .string(String((UInt64(Murmur3.hash32(bytes)) * 16) >> 32))
        }
        let values: [(JSONValue, [UInt8])] = [
            ("abc", [0x63, 0x61, 0x62, 0x63]), (5, [0x05]), (5.0, [0x05]), (true, [0xf5]), (1.5, [0xf9, 0x3e, 0x00]),
            (["a": 1], [0xa1, 0x61, 0x61, 0x01]),
        ]
        for (value, bytes) in values {
            let rule = #"{"fractional":[{"var":"k"},\#(buckets)]}"#
            #expect(try evaluate(rule, attributes: ["k": value], version: 3) == expected(bytes))
        }
        let implicit = try evaluate(#"{"fractional":[\#(buckets)]}"#, key: "u1", version: 3)
        #expect(implicit == expected([0x82, 0x64, 0x66, 0x6c, 0x61, 0x67, 0x62, 0x75, 0x31]))
    }

    @Test("a version that is not known is an error")
    func unknownVersion() {
        #expect(throws: LogicFailure.self) { try evaluate(#"{"fractional":["k",["a",1]]}"#, version: 4) }
    }

    @Test(
        "CBOR is RFC 8949's deterministic encoding",
        arguments: [
            ("0", "00"), ("23", "17"), ("24", "1818"), ("100", "1864"), ("1000", "1903e8"), ("1000000", "1a000f4240"),
            ("1000000000000", "1b000000e8d4a51000"), ("-1", "20"), ("-100", "3863"), ("-1000", "3903e7"),
            ("-9223372036854775808", "3b7fffffffffffffff"), ("18446744073709549568.0", "1bfffffffffffff800"),
            ("18446744073709551616.0", "fa5f800000"), ("-0.0", "00"), ("1.0", "01"), ("-4.0", "23"), ("1.5", "f93e00"),
            ("1.1", "fb3ff199999999999a"), ("-4.1", "fbc010666666666666"), ("3.4028234663852886e+38", "fa7f7fffff"),
            ("1.0e+300", "fb7e37e43c8800759c"), ("5.960464477539063e-8", "f90001"), ("0.00006103515625", "f90400"),
            ("0.333251953125", "f93555"), ("0.1", "fb3fb999999999999a"), ("3.0517578125e-05", "f90200"),
            ("2.9802322387695312e-08", "fa33000000"), ("-0.5", "f9b800"), ("1.0009765625", "f93c01"),
            ("1.00048828125", "fa3f801000"), (#""""#, "60"), (#""IETF""#, "6449455446"), (#""ü""#, "62c3bc"),
            (#""水""#, "63e6b0b4"), ("[]", "80"), ("[1,2,3]", "83010203"), ("{}", "a0"),
            (#"{"b":[2,3],"a":1}"#, "a26161016162820203"), (#"{"aa":1,"b":2}"#, "a2616202626161" + "01"),
            ("false", "f4"),
            ("true", "f5"), ("null", "f6"),
        ])
    func cbor(_ json: String, _ hex: String) throws {
        let bytes = DeterministicCBOR.encode(try JSONValue(parsing: json))
        #expect(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == hex)
    }
}
