import CEpoll
import NIOCore

/// Something with a descriptor that a `SocketLoop` watches. Used on its loop only.
class PollSource {
    /// What the kernel says of a descriptor.
    struct Events: OptionSet {
        let rawValue: UInt32

        static let readable = Events(rawValue: EPOLLIN.rawValue)
        static let writable = Events(rawValue: EPOLLOUT.rawValue)
        /// The peer says no more.
        static let ending = Events(rawValue: EPOLLRDHUP.rawValue)
        /// Told whether it is watched for or not.
        static let broken = Events(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
    }

    /// -1: closed.
    fileprivate(set) final var descriptor: Int32
    /// Where the loop keeps it; -1: nowhere.
    fileprivate(set) final var place = -1
    fileprivate(set) final var watched: Events = []

    /// - Parameter descriptor: its own from now on.
    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        if descriptor >= 0 { SocketCalls.close(descriptor) }
    }

    func ready(_ events: Events) {}

    /// The loop has ended.
    func loopEnded() {}
}

/// The sources of one loop, and the kernel's list of those that are ready.
///
/// Invariants:
/// 1. A source that was removed hears nothing more, not even of what the kernel had told before: each place has a
///    number that changes with its owner.
/// 2. A descriptor is taken from the kernel's list before it is closed.
final class Poller {
    private let descriptor: Int32
    private var places: [(source: PollSource?, number: UInt32)] = []
    private var free: [Int] = []
    private let events: UnsafeMutablePointer<epoll_event>
    private static let eventsAtOnce = 256
    /// Nothing is added any more.
    private var isClosed = false

    init() throws {
        descriptor = try SocketCalls.must(epoll_create1(Int32(EPOLL_CLOEXEC)), "epoll_create1")
        events = .allocate(capacity: Self.eventsAtOnce)
    }

    deinit {
        SocketCalls.close(descriptor)
        events.deallocate()
    }

    /// Ends all sources but one, and takes no others.
    func close(but last: PollSource) {
        isClosed = true
        for source in places.compactMap(\.source) where source !== last { source.loopEnded() }
    }

    func add(_ source: PollSource, _ watched: PollSource.Events) throws {
        guard !isClosed else { throw EventLoopError.shutdown }
        let place = free.popLast() ?? places.count
        if place == places.count { places.append((nil, 0)) }
        var event = epoll_event()
        event.events = watched.rawValue
        event.data.u64 = UInt64(places[place].number) << 32 | UInt64(place)
        do {
            _ = try SocketCalls.must(epoll_ctl(descriptor, EPOLL_CTL_ADD, source.descriptor, &event), "epoll_ctl")
        } catch {
            free.append(place)
            throw error
        }
        places[place].source = source
        source.place = place
        source.watched = watched
    }

    func watch(_ source: PollSource, _ watched: PollSource.Events) {
        guard source.place >= 0, source.watched != watched else { return }
        var event = epoll_event()
        event.events = watched.rawValue
        event.data.u64 = UInt64(places[source.place].number) << 32 | UInt64(source.place)
        // It fails for a descriptor that is not there only, and that would be ours to have removed.
        _ = epoll_ctl(descriptor, EPOLL_CTL_MOD, source.descriptor, &event)
        source.watched = watched
    }

    /// And closes the descriptor.
    func remove(_ source: PollSource) {
        if source.place >= 0 {
            var event = epoll_event()
            _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, source.descriptor, &event)
            places[source.place].source = nil
            places[source.place].number &+= 1
            free.append(source.place)
            source.place = -1
        }
        if source.descriptor >= 0 { SocketCalls.close(source.descriptor) }
        source.descriptor = -1
    }

    /// Waits until something is ready.
    ///
    /// - Parameter milliseconds: at most; negative: for ever.
    /// - Returns: how many sources are, for `tell`.
    func wait(_ milliseconds: Int32) -> Int {
        // Interrupted by a signal: as if nothing were ready.
        Int(max(0, epoll_wait(descriptor, events, Int32(Self.eventsAtOnce), milliseconds)))
    }

    @inline(__always)
    func tell(_ index: Int) {
        let data = events[index].data.u64
        let place = Int(truncatingIfNeeded: data & 0xFFFF_FFFF)
        guard places[place].number == UInt32(truncatingIfNeeded: data >> 32) else { return }
        places[place].source?.ready(PollSource.Events(rawValue: events[index].events))
    }
}
