import NIOCore

/// What a client says about a query in a comment at its end or its beginning, by sqlcommenter's rules
/// (`/*release='2024%2E1',feature='favorites'*/`) or plainly (`/* release=2024.1 feature=favorites */`).
///
/// A comment at the end goes before one at the beginning. The client may say anything here: good for attribution, not
/// for trust. Whatever is malformed, longer than its limit, or not printable is passed over.
package struct QueryTags: Equatable, Sendable {
    package var release: String?
    package var feature: String?
    package var application: String?
    /// W3C trace context, as it came.
    package var traceparent: String?

    /// Bytes of a comment that are looked at.
    package static let commentLimit = 2048
    /// Bytes of a value.
    package static let valueLimit = 128

    package init(
        release: String? = nil, feature: String? = nil, application: String? = nil, traceparent: String? = nil
    ) {
        self.release = release
        self.feature = feature
        self.application = application
        self.traceparent = traceparent
    }

    package var isEmpty: Bool { self == QueryTags() }

    /// The tags of a text; nil if it has none.
    package static func parse(_ text: UnsafeRawBufferPointer) -> QueryTags? {
        let last = trailingComment(text)
        let first = leadingComment(text)
        guard last != nil || first != nil else { return nil }
        var tags = QueryTags()
        if let last { tags.read(UnsafeRawBufferPointer(rebasing: text[last])) }
        if let first { tags.read(UnsafeRawBufferPointer(rebasing: text[first])) }
        return tags.isEmpty ? nil : tags
    }

    /// Whether there may be any: a look at both ends, for every statement that goes through.
    @inline(__always)
    static func mayBeIn(_ text: UnsafeRawBufferPointer) -> Bool {
        var end = text.count
        while end > 0, ByteClass.isSpace(text[end - 1]) || text[end - 1] == UInt8(ascii: ";") { end -= 1 }
        guard end >= 4 else { return false }
        if text[end - 1] == ByteClass.slash, text[end - 2] == ByteClass.star { return true }
        return text[0] == ByteClass.slash || ByteClass.isSpace(text[0])
    }

    /// The same for the readable bytes.
    package static func parse(_ buffer: ByteBuffer) -> QueryTags? {
        buffer.withUnsafeReadableBytes { parse($0) }
    }

    // MARK: Where comments stand

    private static func trailingComment(_ text: UnsafeRawBufferPointer) -> Range<Int>? {
        var end = text.count
        while end > 0, ByteClass.isSpace(text[end - 1]) || text[end - 1] == UInt8(ascii: ";") { end -= 1 }
        guard end >= 4, text[end - 1] == ByteClass.slash, text[end - 2] == ByteClass.star else { return nil }
        let stop = end - 2
        var start = stop - 2
        while start >= 0, stop - start <= commentLimit {
            if text[start] == ByteClass.slash, text[start + 1] == ByteClass.star { return start + 2..<stop }
            start -= 1
        }
        return nil
    }

    private static func leadingComment(_ text: UnsafeRawBufferPointer) -> Range<Int>? {
        var start = 0
        while start < text.count, ByteClass.isSpace(text[start]) { start += 1 }
        guard start + 4 <= text.count, text[start] == ByteClass.slash, text[start + 1] == ByteClass.star else {
            return nil
        }
        start += 2
        var stop = start
        while stop + 1 < text.count, stop - start <= commentLimit {
            if text[stop] == ByteClass.star, text[stop + 1] == ByteClass.slash { return start..<stop }
            stop += 1
        }
        return nil
    }

    // MARK: What stands in them

    private static func isSeparator(_ byte: UInt8) -> Bool {
        ByteClass.isSpace(byte) || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";")
    }

    private mutating func read(_ comment: UnsafeRawBufferPointer) {
        var offset = 0
        while offset < comment.count {
            let start = offset
            while offset < comment.count, comment[offset] != UInt8(ascii: "="), !Self.isSeparator(comment[offset]) {
                offset += 1
            }
            let key = start..<offset
            guard offset < comment.count, comment[offset] == UInt8(ascii: "=") else {
                offset += 1
                continue
            }
            let value = Self.value(comment, from: offset + 1)
            offset = value.upperBound + 1
            set(UnsafeRawBufferPointer(rebasing: comment[key]), UnsafeRawBufferPointer(rebasing: comment[value]))
        }
    }

    /// The bytes of a value, in quotes (a backslash or a second quote keeps one from ending it) or up to a separator.
    private static func value(_ comment: UnsafeRawBufferPointer, from start: Int) -> Range<Int> {
        guard start < comment.count, comment[start] == ByteClass.quote else {
            var end = start
            while end < comment.count, !isSeparator(comment[end]) { end += 1 }
            return start..<end
        }
        var end = start + 1
        while end < comment.count, comment[end] != ByteClass.quote {
            end += comment[end] == ByteClass.backslash && end + 1 < comment.count ? 2 : 1
        }
        return start + 1..<min(end, comment.count)
    }

    private mutating func set(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        guard let field = Self.field(key), self[keyPath: field] == nil, let text = Self.decoded(value) else { return }
        self[keyPath: field] = text
    }

    private static func field(_ key: UnsafeRawBufferPointer) -> WritableKeyPath<QueryTags, String?>? {
        if key.elementsEqual("release".utf8) { return \.release }
        if key.elementsEqual("feature".utf8) { return \.feature }
        if key.elementsEqual("application".utf8) { return \.application }
        return key.elementsEqual("traceparent".utf8) ? \.traceparent : nil
    }

    /// Percent and backslash escapes undone; nil for an empty, overlong or unprintable value.
    private static func decoded(_ value: UnsafeRawBufferPointer) -> String? {
        guard !value.isEmpty, value.count <= valueLimit * 3 else { return nil }
        var bytes: [UInt8] = []
        var offset = 0
        while offset < value.count {
            var byte = value[offset]
            if byte == UInt8(ascii: "%"), offset + 2 < value.count, let high = hex(value[offset + 1]),
                let low = hex(value[offset + 2])
            {
                byte = high << 4 | low
                offset += 2
            } else if byte == ByteClass.backslash, offset + 1 < value.count {
                offset += 1
                byte = value[offset]
            }
            guard byte >= 0x20, byte != 0x7F else { return nil }
            bytes.append(byte)
            offset += 1
        }
        guard bytes.count <= valueLimit else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        if ByteClass.isDigit(byte) { return byte & 15 }
        return ByteClass.isHexDigit(byte) ? (byte & 15) + 9 : nil
    }
}
