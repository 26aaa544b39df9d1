/// What to do about a connection that TLS prevented, for whoever reads the error.
///
/// libpq gives no codes for these, so its words are looked for: English ones, which it speaks in a process that sets no
/// locale. Words that are not known here are passed on without advice.
enum PostgresAdvice {
    private static let known: [(words: String, advice: String)] = [
        (
            "certificate verify failed",
            "the authority that signed the server's certificate is not the one in sslrootcert, or the certificate has"
                + " expired: name the file of the right authority in sslrootcert"
        ),
        (
            "does not match host name",
            "the URL has to name the server as its certificate does (hostaddr can hold its address), or the server needs"
                + " a certificate with that name"
        ),
        (
            "server does not support SSL",
            "turn on 'ssl' in the server's postgresql.conf; where nobody else is on the network, sslmode=prefer does"
                + " without"
        ),
        (
            "root certificate file",
            "name the file with the certificate of the server's authority in sslrootcert, by its full path"
        ),
        (", no encryption", encryptedOnly), (", SSL off", encryptedOnly),
    ]

    private static let encryptedOnly =
        "the server may take this user only over TLS: use sslmode=verify-full and sslrootcert"

    static func advice(for message: String) -> String? {
        known.first { message.contains($0.words) }?.advice
    }
}
