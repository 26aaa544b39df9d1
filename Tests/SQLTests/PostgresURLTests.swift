import Testing

@testable import SQL

@Suite("Parameters of PostgreSQL URLs")
struct PostgresURLTests {
    private static let nearest: @Sendable (String, [String]) -> String? = { name, names in
        names.first { $0.hasPrefix(name) }
    }

    private static func problem(_ location: String) -> String? {
        do throws(SQLError) {
            try checkLocation(location, nearest: nearest)
            return nil
        } catch {
            #expect(error.code == .statement)
            return error.message
        }
    }

    @Test(
        "what libpq understands is accepted",
        arguments: [
            "postgres://u@h/d", "postgres://u@h/d?", "postgres://u@h/d?ssl=true",
            "postgres://u@h/d?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem",
            "postgres://u@h/d?sslmode=verify-ca&sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/c.key&sslcrl=/c.crl",
            "postgres://u@h/d?sslmode=require&sslrootcert=%2Fca.pem", "postgres://u@h/d?sslmode=disable",
            "postgres://u@h1,h2/d?target_session_attrs=read-write&connect_timeout=3",
            "postgres:///d?host=/run/postgresql&options=-c%20search_path%3Dshop", "data.db", "sqlite:///var/data.db",
        ])
    func accepted(_ location: String) {
        #expect(Self.problem(location) == nil)
    }

    @Test(
        "what would be ignored or misread is refused, and said what it is",
        arguments: [
            ("postgres://u@h/d?sslmod=require", "has an unknown parameter 'sslmod'; did you mean 'sslmode'?"),
            ("postgres://u@h/d?sslMode=require", "has an unknown parameter 'sslMode' (libpq's are known"),
            ("postgres://u@h/d?sslmode=require&pool_size=5", "has an unknown parameter 'pool_size'"),
            ("postgres://u@h/d?sslmode=verify-full&sslmode=disable", "has the parameter 'sslmode' twice"),
            ("postgres://u@h/d?sslmode=verify-f", "none of disable, allow"),
            ("postgres://u@h/d?sslmode=verify-f", "did you mean 'verify-full'?"),
            ("postgres://u@h/d?sslmode=VERIFY-FULL", "none of disable, allow"),
            ("postgres://u@h/d?sslmode=", "none of disable, allow"),
            ("postgres://u@h/d?sslrootcert=/ca.pem", "has no effect without sslmode=verify-full"),
            ("postgres://u@h/d?sslmode=prefer&sslrootcert=/ca.pem", "has no effect without sslmode=verify-full"),
            ("postgres://u@h/d?sslmode", "cannot be read"), ("mysql://u@h/d", "a database is postgres://"),
        ])
    func refused(_ location: String, _ words: String) {
        let problem = Self.problem(location)
        #expect(problem?.contains(words) == true, "\(problem ?? "accepted")")
    }

    @Test(
        "a password that was not encoded is not taken for a parameter and repeated",
        arguments: [
            "postgres://u:pass?hunter2=x@h/d", "postgres://u:pa/ss?hunter2=x@h/d", "postgres://u:pass?x&hunter2=1@h/d",
            "postgres://u:p@h/d?sslmode=hunter2", "postgres://u:p@h/d?sslmode=require&hun%74er2=1",
        ])
    func noPassword(_ location: String) {
        let problem = Self.problem(location)
        #expect(problem != nil)
        #expect(problem?.contains("hun") == false, "\(problem ?? "accepted")")
    }

    @Test(
        "words of libpq about TLS come with what to do",
        arguments: [
            ("connection to server at \"::1\", port 1 failed: SSL error: certificate verify failed", "right authority"),
            ("server certificate for \"a\" does not match host name \"b\"", "as its certificate does"),
            ("server certificate for \"a\" (and 1 other name) does not match host name \"b\"", "as its certificate"),
            ("server does not support SSL, but SSL was required", "turn on 'ssl'"),
            ("root certificate file \"/ca.pem\" does not exist", "by its full path"),
            ("FATAL:  no pg_hba.conf entry for host \"h\", user \"u\", database \"d\", no encryption", "only over TLS"),
        ])
    func advice(_ message: String, _ words: String) {
        #expect(PostgresAdvice.advice(for: message)?.contains(words) == true)
    }

    @Test("other troubles come without advice about TLS")
    func noAdvice() {
        #expect(PostgresAdvice.advice(for: "connection refused") == nil)
    }
}
