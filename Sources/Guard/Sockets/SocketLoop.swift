import CEpoll
import Dispatch
import Glibc
import HeapModule
import NIOCore
import Synchronization

/// An event loop of SwiftNIO's kind on a thread of its own, for plain sockets: what is ready is told to its owner in
/// one call, with the bytes in a buffer that all connections share. SwiftNIO's own loop took a quarter of the guard's
/// time for the way from the kernel to a handler (docs/performance.md); this one makes pipelines for those only that
/// need one.
///
/// One round: wait until a socket is ready or a time has come, tell the sockets' owners, run tasks, run timers.
///
/// Invariants:
/// 1. Tasks and timers run in the order of their coming, of their times; a task that makes another does not keep
///    sockets waiting: the new one runs in the next round, which does not wait then.
/// 2. What another thread gives it wakes it.
/// 3. After its end nothing runs any more, and nothing is watched.
final class SocketLoop: EventLoop, @unchecked Sendable {
    private typealias Work = @Sendable () -> Void

    /// Of a task, or of one that was cancelled.
    private struct Timer: Comparable {
        var deadline: NIODeadline
        /// Those of one time run in order.
        var number: UInt64

        static func < (one: Timer, other: Timer) -> Bool {
            one.deadline == other.deadline ? one.number < other.number : one.deadline < other.deadline
        }
    }

    private struct Timed: Sendable {
        var run: Work
        /// The loop ended before.
        var fail: Work

        init(run: @escaping Work, fail: @escaping Work) { (self.run, self.fail) = (run, fail) }
    }

    private struct Incoming {
        var work: [Work] = []
        /// The loop was woken for it, and has not looked yet.
        var isTold = false
        var isClosed = false
    }

    /// Of whatever was read last; whoever keeps a part of it makes a copy.
    fileprivate(set) var bytes: ByteBuffer
    /// Nanoseconds of the monotonic clock, as of this round or the last few of its events.
    private(set) var nanoseconds: Int64
    let poller: Poller
    /// Connections that were left, and whose peers have not read all of it.
    var leaving = 0

    private let alarm: Alarm
    private let thread = Atomic<UInt>(0)
    private let incoming = Mutex(Incoming())
    private var work: [Work] = []
    private var timers = Heap<Timer>()
    private var timed: [UInt64: Timed] = [:]
    private let lastTimer = Atomic<UInt64>(0)
    private var isEnding = false
    private var ended: [Work] = []

    /// As much as one call reads.
    static let portion = 64 << 10

    init() throws {
        // Whoever reads what this process writes may go away; the default is to end with them.
        signal(SIGPIPE, SIG_IGN)
        poller = try Poller()
        alarm = try Alarm()
        bytes = ByteBufferAllocator().buffer(capacity: Self.portion)
        nanoseconds = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
        try poller.add(alarm, .readable)
        let started = DispatchSemaphore(value: 0)
        let start = Unmanaged.passRetained(Start(loop: self, started: started))
        var thread = pthread_t()
        let answer = pthread_create(&thread, nil, { Start.run($0) }, start.toOpaque())
        guard answer == 0 else {
            start.release()
            throw IOError(errnoCode: answer, reason: "pthread_create")
        }
        pthread_detach(thread)
        started.wait()
    }

    /// What a thread begins with.
    private final class Start {
        let loop: SocketLoop
        let started: DispatchSemaphore

        init(loop: SocketLoop, started: DispatchSemaphore) {
            (self.loop, self.started) = (loop, started)
        }

        static func run(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
            guard let pointer else { return nil }
            let start = Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue()
            start.loop.thread.store(UInt(pthread_self()), ordering: .relaxed)
            start.started.signal()
            start.loop.run()
            return nil
        }
    }

    // MARK: Rounds

    private func run() {
        while !isEnding { round() }
        finish()
    }

    private func round() {
        let ready = poller.wait(patience)
        refreshClock()
        for index in 0..<ready {
            // The times that are accounted need not be finer than this.
            if index & 7 == 7 { refreshClock() }
            poller.tell(index)
        }
        if alarm.isRaised { takeIncoming() }
        runWork()
        runTimers()
    }

    private func refreshClock() {
        nanoseconds = Int64(clamping: NIODeadline.now().uptimeNanoseconds)
    }

    /// How long the kernel may wait, in milliseconds.
    private var patience: Int32 {
        guard work.isEmpty else { return 0 }
        guard let next = timers.min else { return -1 }
        let span = (next.deadline - .now()).nanoseconds
        // Rounded up: a wait that ends before its time would be for nothing.
        return span <= 0 ? 0 : Int32(clamping: (span + 999_999) / 1_000_000)
    }

    private func takeIncoming() {
        alarm.lower()
        work += incoming.withLock { incoming in
            defer { incoming.work = [] }
            incoming.isTold = false
            return incoming.work
        }
    }

    private func runWork() {
        guard !work.isEmpty else { return }
        var now: [Work] = []
        swap(&now, &work)
        for task in now { task() }
    }

    private func runTimers() {
        guard let first = timers.min, first.deadline.uptimeNanoseconds <= UInt64(nanoseconds) else { return }
        let now = NIODeadline.now()
        while let next = timers.min, next.deadline <= now {
            timers.removeMin()
            timed.removeValue(forKey: next.number)?.run()
        }
    }

    // MARK: Sockets

    /// Reads into `bytes`; zero at the stream's end, negative when nothing is there (`errno`).
    @inline(__always)
    func receive(_ descriptor: Int32) -> Int {
        bytes.clear()
        return bytes.withUnsafeMutableWritableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// So many bytes were received.
    @inline(__always)
    func received(_ count: Int) -> ByteBuffer {
        bytes.moveWriterIndex(forwardBy: count)
        return bytes
    }

    // MARK: EventLoop

    var inEventLoop: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    func execute(_ task: @escaping @Sendable () -> Void) {
        _ = give(task)
    }

    /// False: the loop has ended, and the task will not run.
    private func give(_ task: @escaping Work) -> Bool {
        if inEventLoop {
            work.append(task)
            return true
        }
        return incoming.withLock { incoming in
            guard !incoming.isClosed else { return false }
            incoming.work.append(task)
            // Under the lock: the alarm's descriptor is there as long as nothing is closed.
            if !incoming.isTold { alarm.raise() }
            incoming.isTold = true
            return true
        }
    }

    @discardableResult
    func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        let number = lastTimer.add(1, ordering: .relaxed).newValue
        let timed = Timed {
            do { promise.assumeIsolated().succeed(try task()) } catch { promise.fail(error) }
        } fail: {
            promise.fail(EventLoopError.shutdown)
        }
        let isTaken = onLoop {
            guard !self.isEnding else { return timed.fail() }
            self.timers.insert(Timer(deadline: deadline, number: number))
            self.timed[number] = timed
        }
        if !isTaken { timed.fail() }
        return Scheduled(promise: promise) { self.onLoop { self.timed[number] = nil } }
    }

    @discardableResult
    func scheduleTask<T>(in span: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        scheduleTask(deadline: .now() + span, task)
    }

    @discardableResult
    private func onLoop(_ task: @escaping Work) -> Bool {
        guard inEventLoop else { return give(task) }
        task()
        return true
    }

    // MARK: The end

    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        let tell: Work = { queue.async { callback(nil) } }
        let isTaken = give {
            self.isEnding = true
            self.ended.append(tell)
        }
        if !isTaken { tell() }
    }

    /// Enough for whatever has an end.
    private static let lastRounds = 1_000

    private func finish() {
        poller.close(but: alarm)
        for timed in timed.values { timed.fail() }
        timed = [:]
        // What has ended has others to tell, and they others again.
        for number in 1... {
            runWork()
            work += takeLast(isLast: number == Self.lastRounds)
            if number == Self.lastRounds || work.isEmpty { break }
        }
        poller.remove(alarm)
        // Another thread may be given the same name.
        thread.store(0, ordering: .relaxed)
        for tell in ended { tell() }
    }

    /// Closes, when nothing is left.
    private func takeLast(isLast: Bool) -> [Work] {
        incoming.withLock { incoming in
            defer { incoming.work = [] }
            incoming.isClosed = isLast || (incoming.work.isEmpty && work.isEmpty)
            return incoming.work
        }
    }
}

/// Wakes a loop from another thread.
private final class Alarm: PollSource {
    private(set) var isRaised = false

    init() throws {
        super.init(descriptor: try SocketCalls.must(eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)), "eventfd"))
    }

    override func ready(_ events: Events) {
        isRaised = true
    }

    func lower() {
        isRaised = false
        // It fails when nothing is in it only.
        var count = eventfd_t()
        _ = eventfd_read(descriptor, &count)
    }

    func raise() {
        // It fails when it is raised already, and very often so.
        _ = eventfd_write(descriptor, 1)
    }
}
