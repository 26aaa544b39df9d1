import CPGQuery
import Glibc

/// What libpg_query makes of one statement.
package struct ParsedSQL: Hashable, Sendable {
    /// JSON; nil when the text cannot be parsed.
    package var tree: String?
    /// 16 hexadecimal digits, the same for statements that differ only in literals.
    package var fingerprint: String?
    /// Why there is no tree.
    package var problem: String?
}

/// PostgreSQL's own parser (the grammar of PostgreSQL 15), without a server.
///
/// It writes trees recursively: a chain of a hundred thousand operators would overflow the stack of a usual thread, and
/// with it end the process. So texts are bounded, and parsed on a thread with a stack that suffices for the bound.
/// Nested comments cost it quadratic time: callers blank them out.
package enum SyntaxParser {
    package static let byteLimit = 256 << 10
    private static let stackBytes = 256 << 20

    /// The answers are in the order of the texts.
    package static func parse(_ texts: [String]) async -> [ParsedSQL] {
        guard !texts.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            let job = Job { continuation.resume(returning: texts.map(parse)) }
            guard start(job) else {
                let refused = ParsedSQL(problem: "no thread could be started to parse it")
                return continuation.resume(returning: texts.map { _ in refused })
            }
        }
    }

    private final class Job: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Memory of the stack is taken from the system only as far as it is used.
    private static func start(_ job: Job) -> Bool {
        // Not a variable: which module declares the type's initialiser depends on what was built before.
        let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
        defer { attributes.deallocate() }
        guard pthread_attr_init(attributes) == 0 else { return false }
        defer { pthread_attr_destroy(attributes) }
        guard pthread_attr_setstacksize(attributes, stackBytes) == 0,
            pthread_attr_setdetachstate(attributes, Int32(PTHREAD_CREATE_DETACHED)) == 0
        else { return false }
        var thread: pthread_t = 0
        let reference = Unmanaged.passRetained(job)
        let status = pthread_create(
            &thread, attributes,
            { pointer in
                guard let pointer else { return nil }
                Unmanaged<Job>.fromOpaque(pointer).takeRetainedValue().body()
                return nil
            }, reference.toOpaque())
        if status != 0 { reference.release() }
        return status == 0
    }

    private static func parse(_ text: String) -> ParsedSQL {
        guard text.utf8.count <= byteLimit else {
            return ParsedSQL(problem: "it is longer than \(byteLimit >> 10) KiB")
        }
        guard !text.utf8.contains(0) else { return ParsedSQL(problem: "it has a NUL character") }
        return parseBounded(text)
    }

    private static func parseBounded(_ text: String) -> ParsedSQL {
        var parsed = ParsedSQL()
        let result = pg_query_parse(text)
        defer { pg_query_free_parse_result(result) }
        if let error = result.error {
            parsed.problem = error.pointee.message.map { String(cString: $0) } ?? "it cannot be parsed"
            return parsed
        }
        parsed.tree = result.parse_tree.map { String(cString: $0) }
        let print = pg_query_fingerprint(text)
        defer { pg_query_free_fingerprint_result(print) }
        if print.error == nil { parsed.fingerprint = print.fingerprint_str.map { String(cString: $0) } }
        return parsed
    }
}
