import ServiceLifecycle

/// Waits until the service group shuts down, gracefully or by cancellation.
func untilShutdown() async {
    do {
        try await gracefulShutdown()
    } catch {
        // Cancelled: that is a shutdown too, and there is nothing to report.
        return
    }
}
