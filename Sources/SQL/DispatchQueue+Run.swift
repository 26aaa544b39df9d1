import Dispatch

extension DispatchQueue {
    /// Runs blocking work on this queue's own thread and waits for it without holding one of Swift's.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            self.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
