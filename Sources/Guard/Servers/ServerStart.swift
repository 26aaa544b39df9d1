import NIOCore
import PGWire

/// Logs in to a server: from the start-up message to the first ReadyForQuery. Bytes in, actions out.
struct ServerStart {
    struct Done {
        /// For the next log-in of the same user.
        var keys: ScramKeys?
        var parameters: [String: String]
        var processID: Int32
        var secret: [UInt8]
    }

    enum Action {
        case wait
        case send(ByteBuffer)
        case done(Done)
        case fail(WireError)
    }

    private let startup: [StartupParameters.Parameter]
    private let makeAuthentication: (_ isEncrypted: Bool) -> ServerAuthentication
    private var authentication: ServerAuthentication?
    private var isIn = false
    private var done = Done(keys: nil, parameters: [:], processID: 0, secret: [])

    init(
        startup: [StartupParameters.Parameter], authentication: @escaping (_ isEncrypted: Bool) -> ServerAuthentication
    ) {
        self.startup = startup
        makeAuthentication = authentication
    }

    mutating func begin(isEncrypted: Bool) -> ByteBuffer {
        authentication = makeAuthentication(isEncrypted)
        var bytes = ByteBuffer()
        bytes.writePGStartupMessage(parameters: startup)
        return bytes
    }

    mutating func receive(_ input: inout ByteBuffer) -> Action {
        do throws(WireError) {
            var answer = ByteBuffer()
            while let header = try FrameHeader(peeking: input) {
                guard header.size <= ServerAuthentication.payloadLimit else {
                    throw .tooLarge("the server's message is too long before the session's start")
                }
                guard input.readableBytes >= header.size, var frame = input.readSlice(length: header.size) else {
                    break
                }
                frame.moveReaderIndex(forwardBy: FrameHeader.size)
                if isIn {
                    if try startSession(header.type, &frame) { return .done(done) }
                } else if let bytes = try logIn(header.type, frame) {
                    answer.writeImmutableBuffer(bytes)
                }
            }
            return answer.readableBytes > 0 ? .send(answer) : .wait
        } catch {
            return .fail(error)
        }
    }

    private mutating func logIn(_ type: UInt8, _ payload: ByteBuffer) throws(WireError) -> ByteBuffer? {
        guard let action = authentication?.receive(type: type, payload: payload) else { return nil }
        switch action {
        case .wait: return nil
        case .send(let bytes): return bytes
        case .done(let keys):
            isIn = true
            done.keys = keys
            return nil
        case .fail(var error, let fields):
            error.fields = fields
            throw error
        }
    }

    private mutating func startSession(_ type: UInt8, _ payload: inout ByteBuffer) throws(WireError) -> Bool {
        switch type {
        case ServerMessage.parameterStatus:
            guard let name = payload.readZeroTerminatedText(), let value = payload.readZeroTerminatedText() else {
                throw .protocolViolation("the server sent a malformed ParameterStatus")
            }
            done.parameters[name] = value
        case ServerMessage.backendKeyData:
            guard let processID = payload.readInteger(as: Int32.self) else {
                throw .protocolViolation("the server sent a malformed BackendKeyData")
            }
            done.processID = processID
            done.secret = Array(payload.readableBytesView)
        case ServerMessage.readyForQuery:
            return true
        case ServerMessage.notice, ServerMessage.negotiateProtocolVersion:
            break
        case ServerMessage.error:
            let fields = try ErrorFields(parsing: payload)
            var error = WireError(.refusedByServer, sqlState: fields.code, fields.message)
            error.fields = fields
            throw error
        default:
            throw .protocolViolation("the server sent '\(Unicode.Scalar(type))' before the session's start")
        }
        return false
    }
}
