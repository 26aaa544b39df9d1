import Decide
import Logging
import NIOCore
import NIOSSL
import PGWire

/// One connection of a client: the shell around its log-in and its `ClientConversation`.
///
/// ```
/// greeting ─▶ (looking up) ─▶ authenticating ─▶ expected ─▶ open ⇄ waiting for a server ⇄ with a server
///     └─ a cancel request: done                └─ the console's clients are answered by `AdminConsole`
/// any ─▶ closed
/// ```
final class ClientLink: SocketReceiver {
    enum Phase {
        case greeting
        /// The database is asked for the user's secret.
        case lookingUp
        case authenticating
        case expected
        case open
        case closed
    }

    let core: GuardCore
    var conversation: ClientConversation?
    var server: ServerLink?
    /// Of the transaction that it has or waits for, or had last.
    var pool: Pool?
    /// Where its session is: the pool that it was let in by. Others are its replicas.
    var home: Pool?
    /// Which of its transactions go to replicas, and by which settings that was worked out.
    var replicaUse: (use: ReplicaUse, version: Int)?
    var startup: StartupParameters?
    var parameters = SessionParameters([:]) {
        didSet {
            guard parameters !== oldValue else { return }
            let number = Release.name(in: applicationName).map { core.catalog.releases.number(of: $0) } ?? 0
            (replicaUse, clientClass) = (nil, nil)
            conversation?.literals = core.catalog.carried.literals(parameters.values)
            guard number != releaseNumber else { return }
            (releaseNumber, account) = (number, nil)
        }
    }
    /// From the application's name (`ReleaseNames`); 0: unknown.
    var releaseNumber: UInt32 = 0
    /// Where the client's latest query is counted, for the next of the same.
    var account: QueryEntry?
    let key: CancelKey
    let connectedAt: Int64
    var waitingSince: Int64 = 0
    var attachedAt: Int64 = 0
    /// Of its transaction: of several that are sent in one go, of the one that runs.
    var begunAt: Int64 = 0
    /// When the server last became quiet inside a transaction; nil: it is not.
    var quietSince: Int64?

    /// The slot that the client's transaction holds.
    var token: SlotToken?
    var handle: WaiterHandle?
    var clientClass: ClientClass?
    /// What `clientClass` was worked out for.
    var classifiedRelease: UInt32 = 0
    var classifiedIn: PoolGroup?
    /// What its last transaction that began with BEGIN turned out to be.
    var usualQuery: QueryKey?
    /// Its transaction has only begun.
    var isUndecided = false
    /// The statement that ended last, until it is counted.
    var lastEnded: RunningStatement?
    /// When it last had no transaction any more, or was told of something.
    var restedAt: Int64 = 0
    /// Of its taints, those that are counted.
    var countedTaint = SessionTaint()
    var wasCancelledByBudget = false
    /// It asked for the end of what ran, and the server is not quiet since.
    var wasCancelledByClient = false

    /// The end is for good: TLS may end the connection in the middle of a write, and what whoever wrote goes on to do
    /// must not bring the client back (it would keep a server for ever).
    var phase = Phase.greeting {
        didSet { if case .closed = oldValue { phase = .closed } }
    }
    /// Of the phase `authenticating`; kept apart, since the phase is looked at for every message.
    var authentication: ClientAuthentication?
    /// Nil: it is closed.
    private(set) var socket: SocketChannel?
    var input = ByteBuffer()
    var isWaiting = false
    /// Has a server and may not begin: its database is paused.
    var isHeld = false
    var isReading = true
    var isPumping = false
    /// The next message waits for the end of a batch.
    var isStalled = false
    /// Said goodbye while an answer was owed.
    var isParting = false
    /// Beyond the limit: to be told when it has said what it wants, as PostgreSQL does. A cancel request may pass.
    var isOneTooMany = false
    /// Asked to leave when the transaction ends.
    var isLeaving = false

    init(core: GuardCore, key: CancelKey, socket: SocketChannel) {
        self.core = core
        self.key = key
        self.socket = socket
        connectedAt = core.now
    }

    var isOpen: Bool { if case .open = phase { true } else { false } }
    var isLoggingIn: Bool {
        switch phase {
        case .greeting, .lookingUp, .authenticating, .expected: true
        default: false
        }
    }
    var stateName: String {
        isLoggingIn ? "login" : isWaiting ? "waiting" : server != nil ? "active" : "idle"
    }
    var applicationName: String { parameters.values[SessionParameters.applicationName] ?? "" }
    /// Host and port.
    var remoteAddress: String {
        guard let address = socket?.remoteAddress else { return "" }
        guard let host = address.ipAddress, let port = address.port else { return "\(address)" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    var isEncrypted: Bool { socket?.isEncrypted ?? false }
    var console: AdminConsole?
    /// A command of the console takes its time.
    var isConsoleBusy = false

    // MARK: The socket

    func receive(_ bytes: ByteBuffer) {
        let isFirst = input.readableBytes == 0
        if isFirst { input = bytes } else { input.writeImmutableBuffer(bytes) }
        core.refreshClock()
        advance()
        // The rest of a buffer that is not the client's alone, or of one in which much has been read.
        if input.readableBytes > 0, isFirst || input.readerIndex > Self.heldLimit { input = input.copied }
    }

    func advance() {
        switch phase {
        case .greeting: greet()
        case .authenticating: authenticate()
        case .open: pump()
        case .lookingUp, .expected:
            // Nothing is due from the client now; what it sends early is kept within bounds.
            if input.readableBytes > Self.heldLimit { pauseReading() }
        case .closed: input = ByteBuffer()
        }
        if input.readableBytes == 0 { input = ByteBuffer() }
    }

    static let heldLimit = 64 << 10

    func socketEnded() {
        gone()
        socket = nil
    }

    func socketFailed(_ error: any Error) {
        core.logger.debug("client connection failed", metadata: ["client": "\(remoteAddress)", "cause": "\(error)"])
        socket?.close()
    }

    func socketIsWritable(_ isWritable: Bool) {
        if isWritable { server?.resumeReading() }
    }

    var isWritable: Bool { socket?.isWritable ?? true }

    func write(_ bytes: ByteBuffer) {
        socket?.send(bytes)
    }

    func closeSocket() {
        socket?.close()
    }

    func encrypt(_ handler: NIOSSLServerHandler) throws {
        try socket?.encrypt(handler)
    }

    func pauseReading() {
        guard isReading else { return }
        isReading = false
        socket?.setReading(false)
    }

    func resumeReading() {
        guard !isReading else { return }
        isReading = true
        socket?.setReading(true)
    }

    // MARK: The end

    /// Tells the client why, and closes.
    func fail(_ error: WireError) {
        guard !isClosed else { return }
        if server?.conversation.isInsideMessageOfClient ?? false { return end() }
        var bytes = ByteBuffer()
        bytes.writePGErrorResponse(error)
        write(bytes)
        end()
    }

    var isClosed: Bool { if case .closed = phase { true } else { false } }

    /// The server's connection broke: the client's session is lost with it, as it would be without the guard.
    ///
    /// - Parameter cause: why we closed it; nil: it broke by itself.
    func serverIsGone(wasTold: Bool, _ cause: WireError?) {
        let isCutOff = server?.conversation.isInsideMessageOfClient ?? false
        server = nil
        giveSlotBack()
        if wasTold || isCutOff { return end() }
        fail(cause ?? WireError(.internalFault, sqlState: "08006", "the server closed the connection unexpectedly"))
    }

    static let shuttingDown = WireError(.internalFault, sqlState: "57P01", "the guard is shutting down")

    /// Leaves when its transaction has ended.
    func leave() {
        isLeaving = true
        let isIdle = server.map(\.conversation.isAtRest) ?? (!isWaiting || isLoggingIn)
        if isIdle {
            fail(Self.shuttingDown)
        }
    }

    func end() {
        guard !isClosed else { return }
        gone()
        socket?.closeWhenSent()
    }

    func gone() {
        guard !isClosed else { return }
        phase = .closed
        core.closed(self)
        leaveQueues()
        isWaiting = false
        giveSlotBack()
        guard let server, let conversation else { return }
        let token = self.token
        (self.server, self.token) = (nil, nil)
        if token != nil { core.released(self, pool, heldFor: core.now - attachedAt) }
        conversation.changes.undoAll()
        let isTainted = keepsServer(conversation)
        if conversation.isBetweenMessages {
            server.detach(isTainted: isTainted, token: token)
        } else {
            server.abandon(token: token)
        }
    }
}
