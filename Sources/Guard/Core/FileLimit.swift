import Glibc
import Logging

/// How many descriptors the process may have: each client is one, and each server.
package enum FileLimit {
    /// To as many as the system allows: what it gives a process by default is few for a proxy.
    package static func raise(_ logger: Logger) {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        let before = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(files, &limit) == 0 else {
            return logger.warning("the number of open files could not be raised", metadata: ["is": "\(before)"])
        }
        logger.debug("open files", metadata: ["before": "\(before)", "now": "\(limit.rlim_cur)"])
    }
}
