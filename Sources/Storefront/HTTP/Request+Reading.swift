import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension HTTPField.Name {
    /// Proves that a script of our own page sent a request that a cookie signs.
    static let csrfToken = HTTPField.Name("X-CSRF-Token")!
    /// Marks a request of Mainstay's synthetic user.
    static let mainstaySynthetic = HTTPField.Name("Mainstay-Synthetic")!
}

extension Request {
    /// Bytes a body may have; the longest post fits several times.
    static let bodyLimit = 64 * 1024

    /// Bytes the query string may have.
    static let queryLimit = 4 * 1024

    func queryFields() throws -> FormFields {
        let query = uri.query ?? ""
        guard query.utf8.count <= Self.queryLimit else { throw Problem.badRequest("The query string is too long.") }
        return try FormFields(parsing: query)
    }

    /// A JSON body: 415 for another type, 413 for too much, 400 when it is not JSON, 422 when it has another shape.
    func json<Value: Decodable>(_ type: Value.Type) async throws -> Value {
        try require(mediaType: "application/json")
        let data = Data(try await boundedBody().readableBytesView)
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch DecodingError.keyNotFound(let key, _) {
            throw Problem.invalid([.init(field: key.stringValue, message: "is missing.")])
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw Problem.invalid([.init(field: path.isEmpty ? "body" : path, message: "has the wrong type.")])
        } catch {
            throw Problem.badRequest("The body is not valid JSON.")
        }
    }

    /// A form's fields, after its token has proven that a page of ours carried the form.
    func form(_ context: StorefrontContext) async throws -> FormFields {
        try require(mediaType: "application/x-www-form-urlencoded")
        let buffer = try await boundedBody()
        let fields = try FormFields(parsing: String(buffer: buffer))
        guard let token = fields["csrf"], context.visitor.accepts(csrf: token) else {
            throw Problem.forbidden("This form is too old or came from elsewhere. Load the page again and retry.")
        }
        return fields
    }

    private func require(mediaType: String) throws {
        let given = headers[.contentType]?.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        guard given == mediaType else { throw Problem.unsupportedMediaType(mediaType) }
    }

    private func boundedBody() async throws -> ByteBuffer {
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > Self.bodyLimit {
            throw Problem.tooLarge(limit: Self.bodyLimit)
        }
        do {
            return try await body.collect(upTo: Self.bodyLimit)
        } catch is NIOTooManyBytesError {
            throw Problem.tooLarge(limit: Self.bodyLimit)
        }
    }
}
