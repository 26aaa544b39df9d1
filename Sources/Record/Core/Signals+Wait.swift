extension Signals {
    /// Waits for one of the wanted signals, but no longer than `limit`; returns at once when cancelled.
    ///
    /// Open the stream before looking whether there is work, so that what is committed in between wakes the wait. Open
    /// another for every wait: this one is spent when the limit ends it, and a second wait on it returns at once.
    /// ```
    /// let stream = signals.stream()
    /// if workWasFound { continue }
    /// await Signals.wait(on: stream, for: [.due], atMost: .seconds(1))
    /// ```
    package static func wait(
        on stream: AsyncStream<Signal>, for wanted: Set<Signal>, atMost limit: Duration
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await signal in stream where wanted.contains(signal) { return }
            }
            group.addTask {
                do { try await Task.sleep(for: limit) } catch { return }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
