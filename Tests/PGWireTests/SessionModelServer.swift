import NIOCore

@testable import PGWire

/// A PostgreSQL server as far as the order of messages goes: names, skipping to Sync, COPY. A text with `bad` in it is
/// refused by Parse, one with `fail` by Execute; `copy` reads data.
struct SessionModelServer {
    private var input = ByteBuffer()
    private var statements: [String: String] = [:]
    private var unnamed: String?
    private var portals: [String: String] = [:]
    private var isSkipping = false
    /// Nil: none; else whether it was begun by a simple query.
    private var copyIsSimple: Bool?
    private var copied = 0
    /// The protocol was broken in a way on which PostgreSQL hangs up.
    private(set) var hasHungUp = false

    var names: Set<String> { Set(statements.keys) }

    mutating func answer(_ bytes: [UInt8]) -> [UInt8] {
        input.writeBytes(bytes)
        var out: [UInt8] = []
        while let type = input.getInteger(at: input.readerIndex, as: UInt8.self),
            let length = input.getInteger(at: input.readerIndex + 1, as: UInt32.self),
            input.readableBytes > Int(length), !hasHungUp
        {
            input.moveReaderIndex(forwardBy: 5)
            var payload = input.readSlice(length: Int(length) - 4) ?? ByteBuffer()
            out += take(type, &payload)
        }
        return out
    }

    private mutating func take(_ type: UInt8, _ payload: inout ByteBuffer) -> [UInt8] {
        if let copyIsSimple { return copy(type, copyIsSimple) }
        if isSkipping, type != ClientMessage.sync {
            // A refusal of what would have replaced it takes the unnamed statement as well: see `lostUnnamed`.
            if type == ClientMessage.parse, payload.readZeroTerminated() == "" { unnamed = nil }
            return []
        }
        switch type {
        case ClientMessage.query:
            unnamed = nil
            return query(payload.readZeroTerminated() ?? "")
        case ClientMessage.parse:
            return parse(payload.readZeroTerminated() ?? "", payload.readZeroTerminated() ?? "")
        case ClientMessage.bind:
            let portal = payload.readZeroTerminated() ?? ""
            let name = payload.readZeroTerminated() ?? ""
            guard let text = name.isEmpty ? unnamed : statements[name] else { return missing(name) }
            portals[portal] = text
            return Frame.bound
        case ClientMessage.describe:
            payload.moveReaderIndex(forwardBy: 1)
            let name = payload.readZeroTerminated() ?? ""
            guard let text = name.isEmpty ? unnamed : statements[name] else { return missing(name) }
            return Frame.parameters + (text.hasPrefix("DEALLOCATE") ? Frame.noData : Frame.make("T", Frame.text(text)))
        case ClientMessage.close:
            payload.moveReaderIndex(forwardBy: 1)
            let name = payload.readZeroTerminated() ?? ""
            if name.isEmpty { unnamed = nil } else { statements[name] = nil }
            return Frame.closed
        case ClientMessage.execute:
            guard let text = portals[payload.readZeroTerminated() ?? ""] else {
                return fail("34000", "portal does not exist")
            }
            return run(text, isSimple: false)
        case ClientMessage.sync:
            isSkipping = false
            portals = [:]
            return Frame.idle
        default:
            return []
        }
    }

    private mutating func query(_ text: String) -> [UInt8] {
        portals = [:]
        let out = text.contains("bad") ? Frame.error("42601") : run(text, isSimple: true)
        isSkipping = false
        return copyIsSimple == nil ? out + Frame.idle : out
    }

    private mutating func parse(_ name: String, _ text: String) -> [UInt8] {
        if name.isEmpty { unnamed = nil }
        // PostgreSQL looks at the text first. We never send a text under the name of another one, and so cannot.
        if !name.isEmpty, statements[name] != nil {
            return fail("42P05", "prepared statement \"\(name)\" already exists")
        }
        if text.contains("bad") { return fail("42601", "syntax error") }
        if name.isEmpty { unnamed = text } else { statements[name] = text }
        return Frame.parsed
    }

    private mutating func run(_ text: String, isSimple: Bool) -> [UInt8] {
        if text.contains("fail") { return fail("22012", "division by zero") }
        if text.contains("copy") {
            copyIsSimple = isSimple
            copied = 0
            return Frame.copyIn
        }
        if text == "DEALLOCATE ALL" {
            statements = [:]
            return Frame.done(text)
        }
        if text.hasPrefix("DEALLOCATE ") {
            let name = String(text.dropFirst(11))
            guard statements.removeValue(forKey: name) != nil else { return missing(name) }
            return Frame.done("DEALLOCATE")
        }
        return text.isEmpty ? Frame.empty : (isSimple ? Frame.columns : []) + Frame.row(text) + Frame.done("SELECT 1")
    }

    private mutating func copy(_ type: UInt8, _ isSimple: Bool) -> [UInt8] {
        switch type {
        case ClientMessage.copyData:
            copied += 1
            return []
        case ClientMessage.flush, ClientMessage.sync:
            return []
        case ClientMessage.copyDone:
            copyIsSimple = nil
            return Frame.done("COPY \(copied)") + (isSimple ? Frame.idle : [])
        case ClientMessage.copyFail:
            copyIsSimple = nil
            let error = fail("57014", "COPY failed")
            if isSimple { isSkipping = false }
            return error + (isSimple ? Frame.idle : [])
        default:
            hasHungUp = true
            return []
        }
    }

    private mutating func missing(_ name: String) -> [UInt8] {
        fail("26000", "prepared statement \"\(name)\" does not exist")
    }

    private mutating func fail(_ code: String, _ message: String) -> [UInt8] {
        isSkipping = true
        return Frame.error(code, message)
    }
}
