import Decide

/// OpenFeature Remote Evaluation Protocol 0.3.0, server side: bytes to values and back, for
/// `POST /ofrep/v1/evaluate/flags` and `POST /ofrep/v1/evaluate/flags/{key}`.
package enum OFREP {
    /// A status and a JSON body, which is empty for 304.
    package struct Response: Hashable, Sendable {
        package var status: Int
        package var body: [UInt8]
        package var etag: String?

        package init(status: Int, body: [UInt8], etag: String? = nil) {
            self.status = status
            self.body = body
            self.etag = etag
        }
    }

    /// A request that cannot be evaluated: answer with `OFREP.response(to:key:)`.
    package struct Invalid: Error, Hashable, Sendable {
        /// 400 or 413.
        package var status: Int
        package var errorCode: Evaluation.ErrorCode
        package var errorDetails: String
    }

    /// Larger requests are refused with 413.
    package static let maximumBytes = 256 * 1_024

    /// Reads `{"context": {"targetingKey": "u1", …}}`. As flagd does, it takes an empty body and a context without
    /// `targetingKey`.
    package static func context(from bytes: [UInt8], now: Instant) throws(Invalid) -> EvaluationContext {
        guard bytes.count <= maximumBytes else {
            throw Invalid(
                status: 413, errorCode: .invalidContext,
                errorDetails: "The request is larger than \(maximumBytes) bytes.")
        }
        guard !bytes.isEmpty else { return EvaluationContext(targetingKey: nil, timestamp: now) }
        let request: JSONValue
        do {
            request = try JSONValue(parsing: bytes)
        } catch {
            throw invalid("The request is not JSON: \(error).")
        }
        guard case .object(let members) = request else { throw invalid("The request must be an object.") }
        switch members["context"] {
        case nil, .null: return EvaluationContext(targetingKey: nil, timestamp: now)
        case .object(var attributes):
            let key = attributes.removeValue(forKey: "targetingKey") ?? .null
            guard key == .null || key.string != nil else { throw invalid("'targetingKey' must be text.") }
            return EvaluationContext(targetingKey: key.string, attributes: attributes, timestamp: now)
        default: throw invalid("'context' must be an object.")
        }
    }

    /// The answer for one flag: 200, 404 for a flag that is not known, 400 for any other error.
    package static func single(_ evaluation: Evaluation, metadata: [String: JSONValue] = [:]) -> Response {
        let status =
            switch evaluation.errorCode {
            case nil: 200
            case .flagNotFound: 404
            default: 400
            }
        return Response(status: status, body: bytes(json(evaluation, metadata)))
    }

    /// The answer for all flags; 304 without a body when the client holds it already.
    /// - Parameters:
    ///   - service: names the set, so that two services' answers never share an ETag.
    ///   - ifNoneMatch: the request's header of that name.
    ///   - eventStream: path of the server-sent events that say when to ask again.
    package static func bulk(
        _ flags: CompiledFlagSet, service: String, context: EvaluationContext, ifNoneMatch: String?,
        eventStream: String? = nil
    ) -> Response {
        let etag = etag(flags, service: service, context: context)
        if let etag, let ifNoneMatch, matches(ifNoneMatch, etag) {
            return Response(status: 304, body: [], etag: etag)
        }
        let evaluations = flags.evaluateAll(context: context).map { json($0, flags.metadata(of: $0.key)) }
        var body: [String: JSONValue] = ["flags": .array(evaluations)]
        if let eventStream {
            body["eventStreams"] = [
                ["type": "sse", "endpoint": ["requestUri": .string(eventStream)], "inactivityDelaySec": 120]
            ]
        }
        return Response(status: 200, body: bytes(.object(body)), etag: etag)
    }

    package static func response(to invalid: Invalid, key: String? = nil) -> Response {
        var body: [String: JSONValue] = [
            "errorCode": .string(invalid.errorCode.rawValue), "errorDetails": .string(invalid.errorDetails),
        ]
        body["key"] = key.map(JSONValue.string)
        return Response(status: invalid.status, body: bytes(.object(body)))
    }

    /// The data of the event that makes clients ask again: `{"type":"refetchEvaluation","etag":…,"lastModified":…}`.
    package static func refetchEvent(etag: String, lastModified: Instant) -> String {
        let event: JSONValue = [
            "type": "refetchEvaluation", "etag": .string(etag),
            "lastModified": .integer(lastModified.milliseconds / 1_000),
        ]
        return event.compactText
    }

    /// Changes with the configuration and with the context. Nil when a rule reads the time: then an answer may change
    /// although neither did, and nothing may be answered with 304.
    package static func etag(_ flags: CompiledFlagSet, service: String, context: EvaluationContext) -> String? {
        guard !flags.readsTimestamp else { return nil }
        let who: JSONValue = [
            .string(service), .integer(flags.version), context.targetingKey.map(JSONValue.string) ?? .null,
            .object(context.attributes),
        ]
        return "\"\(flags.version)-\(UserHash(key: who.compactText).hex)\""
    }

    /// RFC 9110 §13.1.2: weak comparison against a list, or `*`.
    private static func matches(_ header: String, _ etag: String) -> Bool {
        header.split(separator: ",").contains { candidate in
            var candidate = candidate[...]
            while candidate.first == " " || candidate.first == "\t" { candidate.removeFirst() }
            while candidate.last == " " || candidate.last == "\t" { candidate.removeLast() }
            if candidate.hasPrefix("W/") { candidate = candidate.dropFirst(2) }
            return candidate == "*" || candidate == etag
        }
    }

    private static func json(_ evaluation: Evaluation, _ metadata: [String: JSONValue]) -> JSONValue {
        var body: [String: JSONValue] = ["key": .string(evaluation.key)]
        if let code = evaluation.errorCode {
            body["errorCode"] = .string(code.rawValue)
            body["errorDetails"] = evaluation.errorDetails.map(JSONValue.string)
            return .object(body)
        }
        body["reason"] = .string(evaluation.reason.rawValue)
        body["variant"] = evaluation.variant.map(JSONValue.string)
        body["value"] = evaluation.value
        // Metadata values are scalars in OFREP; anything else stays here.
        let scalars = metadata.filter { $0.value.array == nil && $0.value.object == nil && $0.value != .null }
        if !scalars.isEmpty { body["metadata"] = .object(scalars) }
        return .object(body)
    }

    private static func bytes(_ value: JSONValue) -> [UInt8] { Array(value.compactText.utf8) }

    private static func invalid(_ details: String) -> Invalid {
        Invalid(status: 400, errorCode: .invalidContext, errorDetails: details)
    }
}
