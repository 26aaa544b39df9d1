import Decide
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Interop
import NIOCore
import Record

/// OpenFeature Remote Evaluation Protocol: for clients that do not evaluate flags themselves.
///
/// Which service's flags: the parameter `service`; without it the service that the token is named after; without that
/// the only service there is.
enum OFREPAPI {
    private static let service = QueryParameter(
        "service", "Whose flags; unless told those of the service that the token is named after.")
    private static let hints = [
        QueryParameter("flagConfigEtag", "Sent by clients after a change; has no effect."),
        QueryParameter("flagConfigLastModified", "Sent by clients after a change; has no effect."),
    ]
    private static let context = RequestSchema(
        mediaTypes: ["application/json"],
        schema: ["type": "object", "properties": ["context": ["type": ["object", "null"]]]], isRequired: false)

    static let endpoints: [Endpoint] = [
        Endpoint(
            .post, "/ofrep/v1/evaluate/flags", "Evaluates all flags of a service for one user.",
            access: .scope(.service, orRole: .viewer), query: [service] + hints, body: context,
            answers: [.json("OFREPBulk", "All flags."), .nothing(status: 304, "Nothing changed.")], handle: bulk),
        Endpoint(
            .post, "/ofrep/v1/evaluate/flags/{key}", "Evaluates one flag for one user.",
            access: .scope(.service, orRole: .viewer), query: [service] + hints, body: context,
            answers: [.json("OFREPEvaluation", "The flag.")], handle: single),
    ]

    @Sendable private static func bulk(_ call: Call) async throws -> Response {
        do {
            let context = try OFREP.context(from: try await body(call), now: call.services.record.now())
            let service = try service(of: call)
            let flags = CompiledFlagSet(compiling: try await call.services.record.flagSet(service: service))
            return answer(
                OFREP.bulk(
                    flags, service: service, context: context, ifNoneMatch: call.request.headers[.ifNoneMatch]))
        } catch let invalid as OFREP.Invalid {
            return answer(OFREP.response(to: invalid))
        }
    }

    @Sendable private static func single(_ call: Call) async throws -> Response {
        let key = try call.parameter("key")
        do {
            let context = try OFREP.context(from: try await body(call), now: call.services.record.now())
            let service = try service(of: call)
            let flags = CompiledFlagSet(compiling: try await call.services.record.flagSet(service: service))
            return answer(OFREP.single(flags.evaluate(key, context: context), metadata: flags.metadata(of: key)))
        } catch let invalid as OFREP.Invalid {
            return answer(OFREP.response(to: invalid, key: key))
        }
    }

    private static func body(_ call: Call) async throws -> [UInt8] {
        Array(try await call.request.bytes(upTo: OFREP.maximumBytes).readableBytesView)
    }

    private static func service(of call: Call) throws -> String {
        let known = call.services.record.policy.services
        if let named = try call.query.text("service") {
            try call.requireService(named)
            return named
        }
        let name = try call.actor().name
        if known[name] != nil { return name }
        if known.count == 1, let only = known.keys.first { return only }
        throw Problem(
            .badRequest, "Whose flags? Say '?service=' with one of: \(known.keys.sorted().joined(separator: ", ")).")
    }

    private static func answer(_ answer: OFREP.Response) -> Response {
        var response = Response(
            status: HTTPResponse.Status(code: answer.status), headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
        if answer.status == 304 { response.headers[.contentType] = nil }
        if let etag = answer.etag { response.headers[.eTag] = etag }
        return response
    }

    static let schemas: [String: JSONValue] = [
        "OFREPEvaluation": ["type": "object", "required": ["key"], "properties": ["key": Schema.text]],
        "OFREPBulk": [
            "type": "object", "required": ["flags"],
            "properties": ["flags": Schema.list(Schema.ref("OFREPEvaluation"))],
        ],
        "OFREPError": [
            "type": "object", "properties": ["errorCode": Schema.text, "errorDetails": Schema.text],
        ],
    ]
}
