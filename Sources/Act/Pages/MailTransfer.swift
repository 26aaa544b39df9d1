import CCurl
import Decide
import Foundation
import Synchronization

/// One mail's way through libcurl. It lives on one thread, which it blocks.
final class MailTransfer {
    private let mail: MailMessage
    private let server: MailServer
    private let isCancelled: @Sendable () -> Bool
    private var offset = 0
    private var transcript = SMTPTranscript()
    /// What libcurl has to say beyond its code, such as what is wrong with a certificate.
    private let details: UnsafeMutablePointer<CChar>

    init(_ mail: MailMessage, via server: MailServer, isCancelled: @escaping @Sendable () -> Bool) {
        self.mail = mail
        self.server = server
        self.isCancelled = isCancelled
        details = .allocate(capacity: Int(CURL_ERROR_SIZE))
        details.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit { details.deallocate() }

    /// libcurl wants to be started once, before any thread uses it.
    private static let started = mainstay_curl_start()

    /// - Parameter report: called once, as soon as the outcome is known; the farewell to the server comes after it,
    ///   because a server that took the mail and then hangs has still taken the mail.
    func run(_ report: (DeliveryOutcome) -> Void) {
        guard Self.started == CURLE_OK, let handle = curl_easy_init() else {
            return report(.temporary(reason: "libcurl cannot be started", retryAfter: nil))
        }
        var receivers: UnsafeMutablePointer<curl_slist>?
        defer {
            curl_easy_cleanup(handle)
            curl_slist_free_all(receivers)
        }
        receivers = curl_slist_append(nil, "<\(mail.to)>")
        let prepared = receivers == nil ? CURLE_OUT_OF_MEMORY : prepare(handle, receivers)
        guard prepared == CURLE_OK else {
            return report(.permanent(reason: "the mail server's settings cannot be used: \(words(prepared))"))
        }
        report(outcome(curl_easy_perform(handle)))
    }

    private func prepare(_ handle: UnsafeMutableRawPointer, _ receivers: UnsafeMutablePointer<curl_slist>?) -> CURLcode
    {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let timeout = Int(max(1, server.timeout.milliseconds))
        let security = server.requireTLS ? CURLUSESSL_ALL : CURLUSESSL_TRY
        let settings: [() -> CURLcode] = [
            { mainstay_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps") },
            { mainstay_curl_set_string(handle, CURLOPT_PROXY, "") },
            { mainstay_curl_set_string(handle, CURLOPT_URL, self.server.url) },
            { mainstay_curl_set_long(handle, CURLOPT_USE_SSL, Int(security.rawValue)) },
            { self.trust(handle) },
            { mainstay_curl_set_error_buffer(handle, self.details) },
            // Without it a name that resolves slowly would stop the whole process by a signal.
            { mainstay_curl_set_long(handle, CURLOPT_NOSIGNAL, 1) },
            { mainstay_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, timeout) },
            { mainstay_curl_set_long(handle, CURLOPT_TIMEOUT_MS, timeout) },
            // Bounds the farewell, which the limit above does not.
            { mainstay_curl_set_long(handle, CURLOPT_SERVER_RESPONSE_TIMEOUT, max(1, min(timeout / 1_000, 10))) },
            { mainstay_curl_set_string(handle, CURLOPT_MAIL_FROM, "<\(self.mail.from)>") },
            { mainstay_curl_set_list(handle, CURLOPT_MAIL_RCPT, receivers) },
            { mainstay_curl_set_long(handle, CURLOPT_UPLOAD, 1) },
            { mainstay_curl_set_size(handle, curl_off_t(self.mail.bytes.count)) },
            { self.signIn(handle) },
            { mainstay_curl_set_reader(handle, readText, context) },
            { mainstay_curl_set_writer(handle, dropText, nil) },
            { mainstay_curl_set_debugger(handle, listen, context) },
            { mainstay_curl_set_progress(handle, watch, context) },
        ]
        for setting in settings {
            let code = setting()
            guard code == CURLE_OK else { return code }
        }
        return CURLE_OK
    }

    /// The authorities that are named stand in for the system's; they do not join them.
    private func trust(_ handle: UnsafeMutableRawPointer) -> CURLcode {
        guard let file = server.caFile else { return CURLE_OK }
        let code = mainstay_curl_set_string(handle, CURLOPT_CAINFO, file)
        guard code == CURLE_OK else { return code }
        return mainstay_curl_set_string(handle, CURLOPT_CAPATH, nil)
    }

    private func signIn(_ handle: UnsafeMutableRawPointer) -> CURLcode {
        guard let user = server.user else { return CURLE_OK }
        let code = mainstay_curl_set_string(handle, CURLOPT_USERNAME, user)
        guard code == CURLE_OK else { return code }
        return mainstay_curl_set_string(handle, CURLOPT_PASSWORD, server.password ?? "")
    }

    // MARK: Outcome

    private func outcome(_ result: CURLcode) -> DeliveryOutcome {
        let reply = Words.reply(transcript.lastReply, hiding: secrets)
        if result == CURLE_OK { return .delivered(proof: reply.isEmpty ? "taken without a word" : reply) }
        let code = transcript.code.flatMap { $0 >= 400 ? $0 : nil }
        let said =
            switch (code, result) {
            case (nil, _): reason(result)
            case (_, CURLE_USE_SSL_FAILED): "refuses TLS, which is required: it answered \(reply)"
            default: "answered \(reply)"
            }
        return DeliveryPolicy.outcome(
            smtpCode: code, toMessage: transcript.reachedMessage, words: "mail server \(server.place) \(said)")
    }

    private func reason(_ result: CURLcode) -> String {
        switch result {
        case CURLE_OPERATION_TIMEDOUT: "did not finish within \(server.timeout.spoken)"
        case CURLE_COULDNT_CONNECT: "refused the connection"
        case CURLE_COULDNT_RESOLVE_HOST: "is not known by that name"
        case CURLE_USE_SSL_FAILED: "offers no TLS, which is required"
        case CURLE_PEER_FAILED_VERIFICATION:
            "is not trusted (\(why(result))), so nothing was sent to it: 'ca-file' has to hold the authority of its"
                + " certificate, unless the system knows it, and 'smtp' the name that is in the certificate"
        case CURLE_SSL_CACERT_BADFILE: "cannot be verified, because 'ca-file' cannot be used (\(why(result)))"
        case CURLE_SSL_CONNECT_ERROR: "did not agree on TLS (\(why(result)))"
        case CURLE_ABORTED_BY_CALLBACK: "was left because Mainstay stops"
        default: "failed: \(words(result))"
        }
    }

    private func why(_ code: CURLcode) -> String {
        let text = Words.reply(String(cString: details), hiding: secrets)
        return text.isEmpty ? words(code) : text
    }

    private func words(_ code: CURLcode) -> String { String(cString: curl_easy_strerror(code)) }

    /// A server may repeat what it was told, as it is or as AUTH carries it.
    private var secrets: [String] {
        guard let password = server.password, !password.isEmpty else { return [] }
        let plain = "\u{0}\(server.user ?? "")\u{0}\(password)"
        return [password, base64(password), base64(plain)]
    }

    private func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    // MARK: What libcurl calls back

    fileprivate func read(into buffer: UnsafeMutablePointer<CChar>, capacity: Int) -> Int {
        let count = min(capacity, mail.bytes.count - offset)
        guard count > 0 else { return 0 }
        mail.bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            UnsafeMutableRawPointer(buffer).copyMemory(from: start + offset, byteCount: count)
        }
        offset += count
        return count
    }

    fileprivate func heard(_ kind: curl_infotype, _ bytes: UnsafeBufferPointer<UInt8>) {
        switch kind {
        case CURLINFO_HEADER_IN: transcript.received(bytes)
        case CURLINFO_HEADER_OUT: transcript.sent(bytes)
        case CURLINFO_DATA_OUT: transcript.sentText()
        default: break
        }
    }

    fileprivate var mustStop: Bool { isCancelled() }

    fileprivate static func at(_ context: UnsafeMutableRawPointer?) -> MailTransfer? {
        context.map { Unmanaged<MailTransfer>.fromOpaque($0).takeUnretainedValue() }
    }
}

private func readText(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let buffer, let transfer = MailTransfer.at(context) else { return 0 }
    return transfer.read(into: buffer, capacity: size * count)
}

/// What a server says besides replies would go to standard output otherwise.
private func dropText(
    _: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _: UnsafeMutableRawPointer?
) -> Int { size * count }

private func listen(
    _: UnsafeMutableRawPointer?, _ kind: curl_infotype, _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> CInt {
    guard let bytes, let transfer = MailTransfer.at(context) else { return 0 }
    bytes.withMemoryRebound(to: UInt8.self, capacity: count) {
        transfer.heard(kind, UnsafeBufferPointer(start: $0, count: count))
    }
    return 0
}

private func watch(
    _ context: UnsafeMutableRawPointer?, _: curl_off_t, _: curl_off_t, _: curl_off_t, _: curl_off_t
) -> CInt {
    MailTransfer.at(context)?.mustStop == true ? 1 : 0
}
