/// A connection to somebody else's database, for reading only. `run` calls come one after the other.
protocol ProbeConnection: AnyObject, Sendable {
    /// Runs on a thread of the connection's own and calls back from there.
    func run(_ request: ProbeRequest, _ completion: @escaping @Sendable (Result<[SQLRow], any Error>) -> Void)

    /// Stops what is running, if that can be done from outside.
    func interrupt()
}
