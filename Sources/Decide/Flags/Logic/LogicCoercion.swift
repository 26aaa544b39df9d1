/// JsonLogic's conversions, which are JavaScript's, with one table of truth that is JsonLogic's own (`[]` is false).
enum LogicCoercion {
    static func isTruthy(_ value: JSONValue) -> Bool {
        switch value {
        case .null: false
        case .bool(let flag): flag
        case .integer(let number): number != 0
        case .double(let number): number != 0 && !number.isNaN
        case .string(let text): !text.isEmpty
        case .array(let items): !items.isEmpty
        case .object: true
        }
    }

    static func compare(_ comparison: LogicComparison, _ left: JSONValue, _ right: JSONValue) -> Bool {
        switch comparison {
        case .equal: isEqual(left, right)
        case .notEqual: !isEqual(left, right)
        case .same: isSame(left, right)
        case .notSame: !isSame(left, right)
        case .less: isOrdered(left, right, orEqual: false)
        case .lessOrEqual: isOrdered(left, right, orEqual: true)
        case .greater: isOrdered(right, left, orEqual: false)
        case .greaterOrEqual: isOrdered(right, left, orEqual: true)
        }
    }

    /// `===`. Lists and objects are the same if their contents are: identity means nothing in JSON.
    static func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.integer(let one), .integer(let other)): one == other
        case (.integer, .double), (.double, .integer), (.double, .double): left.number == right.number
        case (.array(let one), .array(let other)): one.elementsEqual(other, by: isSame)
        case (.string(let one), .string(let other)): isIdentical(one, other)
        default: left == right
        }
    }

    /// `==`
    static func isEqual(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.null, _), (_, .null): false
        case (.string, .string), (.array, .array), (.object, .object): isSame(left, right)
        case (.integer, .integer): left == right
        case (.array, .string), (.object, .string): isEqual(.string(text(left)), right)
        case (.string, .array), (.string, .object): isEqual(left, .string(text(right)))
        default: number(left) == number(right)
        }
    }

    /// `<` and `<=`: two texts by their characters, anything else as numbers, of which NaN is ordered with nothing.
    private static func isOrdered(_ left: JSONValue, _ right: JSONValue, orEqual: Bool) -> Bool {
        switch (left, right) {
        case (.integer(let one), .integer(let other)): return orEqual ? one <= other : one < other
        case (.string(let one), .string(let other)):
            if orEqual { return !other.utf8.lexicographicallyPrecedes(one.utf8) }
            return one.utf8.lexicographicallyPrecedes(other.utf8)
        default:
            let (one, other) = (number(left), number(right))
            return orEqual ? one <= other : one < other
        }
    }

    /// Byte for byte: Swift's own `==` takes canonically equivalent texts for equal, which no other implementation
    /// does.
    static func isIdentical(_ one: String, _ other: String) -> Bool {
        one.utf8.elementsEqual(other.utf8)
    }

    /// JavaScript's `Number(value)`: NaN for what is not a number.
    static func number(_ value: JSONValue) -> Double {
        switch value {
        case .null: 0
        case .bool(let flag): flag ? 1 : 0
        case .integer(let number): Double(number)
        case .double(let number): number
        case .string(let text): number(text)
        case .array: number(text(value))
        case .object: .nan
        }
    }

    /// JavaScript's `parseFloat`, which `+` and `*` use: the number that the text starts with.
    static func leadingNumber(_ value: JSONValue) -> Double {
        switch value {
        case .integer(let number): return Double(number)
        case .double(let number): return number
        default:
            let bytes = trimmed(Array(text(value).utf8))
            return decimal(bytes.prefix(numberLength(bytes)))
        }
    }

    /// Whole numbers that a Double holds exactly are integers again.
    static func value(_ number: Double) -> JSONValue {
        guard number.magnitude <= 9_007_199_254_740_992, let whole = Int64(exactly: number) else {
            return .double(number)
        }
        return .integer(whole)
    }

    /// JavaScript's `String(value)`.
    static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .integer(let number): return String(number)
        case .double(let number):
            if let whole = Int64(exactly: number) { return String(whole) }
            if number.isNaN { return "NaN" }
            if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
            return String(number)
        case .string(let text): return text
        case .array(let items): return items.map { $0 == .null ? "" : text($0) }.joined(separator: ",")
        case .object: return "[object Object]"
        }
    }

    private static func number(_ text: String) -> Double {
        let bytes = trimmed(Array(text.utf8))
        if bytes.isEmpty { return 0 }
        if bytes.count > 2, bytes[bytes.startIndex] == UInt8(ascii: "0"),
            bytes[bytes.startIndex + 1] | 0x20 == UInt8(ascii: "x")
        {
            let digits = String(decoding: bytes.dropFirst(2), as: UTF8.self)
            guard digits.utf8.first != UInt8(ascii: "+"), digits.utf8.first != UInt8(ascii: "-") else { return .nan }
            return UInt64(digits, radix: 16).map { Double($0) } ?? .nan
        }
        return numberLength(bytes) == bytes.count ? decimal(bytes) : .nan
    }

    private static func decimal(_ bytes: ArraySlice<UInt8>) -> Double {
        Double(String(decoding: bytes, as: UTF8.self)) ?? .nan
    }

    private static func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        var slice = bytes[...]
        while let first = slice.first, first == 32 || (9...13).contains(first) { slice.removeFirst() }
        while let last = slice.last, last == 32 || (9...13).contains(last) { slice.removeLast() }
        return slice
    }

    /// How many bytes from the start are a decimal number with optional sign, fraction and exponent; 0 if none.
    private static func numberLength(_ bytes: ArraySlice<UInt8>) -> Int {
        var index = bytes.startIndex
        func digits() -> Int {
            let start = index
            while index < bytes.endIndex, (48...57).contains(bytes[index]) { index += 1 }
            return index - start
        }
        func skip(_ any: [UInt8]) -> Bool {
            guard index < bytes.endIndex, any.contains(bytes[index]) else { return false }
            index += 1
            return true
        }
        let signs = [UInt8(ascii: "+"), UInt8(ascii: "-")]
        _ = skip(signs)
        var count = digits()
        if skip([UInt8(ascii: ".")]) { count += digits() }
        guard count > 0 else { return 0 }
        let end = index
        if skip([UInt8(ascii: "e"), UInt8(ascii: "E")]) {
            _ = skip(signs)
            if digits() == 0 { index = end }
        }
        return index - bytes.startIndex
    }
}
