import Testing

@testable import Decide

@Suite("The header of synthetic users")
struct FlagsSyntheticHeaderTests {
    private static let signature = String(repeating: "0a", count: 32)

    @Test(
        "reads what it writes",
        arguments: [
            SyntheticHeader(user: "journey", expires: Instant(milliseconds: 1_700_000_000_000)),
            SyntheticHeader(
                user: "journey/favorites", expires: Instant(milliseconds: 5),
                forced: ["favorites": "v2", "a,b": "c=d;e", "ż": "水 %"]),
            SyntheticHeader(user: ";sig=", expires: Instant(milliseconds: -1), forced: ["f": ""]),
        ])
    func roundTrip(_ header: SyntheticHeader) throws {
        let read = try #require(SyntheticHeader.parse(header.value(signature: Self.signature)))
        #expect(read.header == header)
        #expect(read.payload == header.payload)
        #expect(read.signatureHex == Self.signature)
    }

    @Test("is written with the flags in order, everything unusual encoded")
    func format() {
        let header = SyntheticHeader(user: "a b", expires: Instant(milliseconds: 7), forced: ["y": "2", "x": "1"])
        #expect(header.payload == "v1;user=a%20b;exp=7;force=x=1,y=2")
        #expect(header.value(signature: "ab") == "v1;user=a%20b;exp=7;force=x=1,y=2;sig=ab")
    }

    @Test(
        "anything else is nothing",
        arguments: [
            "", "v1", "v2;user=a;exp=1;force=;sig=SIG", "v1;user=;exp=1;force=;sig=SIG",
            "v1;user=a;exp=x;force=;sig=SIG", "v1;user=a;exp=1;sig=SIG", "v1;user=a;exp=1;force=f;sig=SIG",
            "v1;user=a;exp=1;force=f=1,f=2;sig=SIG", "v1;user=a;exp=1;force=f=1,;sig=SIG",
            "v1;user=a;exp=1;force=;sig=SIG;more", "v1;user=a;exp=1;force=;sig=abc", "v1;user=%g0;exp=1;force=;sig=SIG",
            "v1;user=%c3;exp=1;force=;sig=SIG", "v1;user=a b;exp=1;force=;sig=SIG", "v1;exp=1;user=a;force=;sig=SIG",
            "v1;user=a;exp=99999999999999999999;force=;sig=SIG",
        ])
    func refuses(_ text: String) {
        let text = text.replacing("SIG", with: Self.signature)
        #expect(SyntheticHeader.parse(text) == nil)
    }

    @Test("has limits")
    func limits() {
        let long = SyntheticHeader(user: String(repeating: "u", count: 5_000), expires: .epoch)
        #expect(SyntheticHeader.parse(long.value(signature: Self.signature)) == nil)
        let flags = Dictionary(uniqueKeysWithValues: (0...SyntheticHeader.maximumForced).map { ("f\($0)", "v") })
        let many = SyntheticHeader(user: "u", expires: .epoch, forced: flags)
        #expect(SyntheticHeader.parse(many.value(signature: Self.signature)) == nil)
    }
}

@Suite("User hashes")
struct FlagsUserHashTests {
    @Test(
        "are the same everywhere",
        arguments: [
            ("", "efd01f60ba992926"), ("u1", "63b9b7f52c45b2b1"), ("user-1234567890", "c33335486411e684"),
            ("żółw", "94fab30f2beceea7"),
        ])
    func known(_ key: String, _ hex: String) {
        let hash = UserHash(key: key)
        #expect(UserHash(hex: hash.hex) == hash)
        #expect(hash.hex == hex)
    }

    @Test("are read only from 16 hexadecimal digits", arguments: ["", "12", "+123456789abcdef", "zzzzzzzzzzzzzzzz"])
    func refuses(_ text: String) {
        #expect(UserHash(hex: text) == nil)
    }

    @Test("do not collide for a hundred thousand users, and fill their bits evenly")
    func distribution() {
        let hashes = Set((0..<100_000).map { UserHash(key: "user-\($0)").value })
        #expect(hashes.count == 100_000)
        for bit in 0..<64 {
            let ones = hashes.count { $0 >> UInt64(bit) & 1 == 1 }
            #expect(abs(ones - 50_000) < 1_000)
        }
    }
}
