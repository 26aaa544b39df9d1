/// What came back from one request or statement.
package enum StepObservation: Hashable, Sendable {
    case http(HTTPObservation)
    case sql(SQLObservation)
}

package struct HTTPObservation: Hashable, Sendable {
    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var status: Int
    package var headers: [Header]
    /// The run's cookies for this address after the answer.
    package var cookies: [String: String]
    package var body: [UInt8]
    package var took: Span
    /// Nil when `parsesJSON` was false.
    package let json: Result<JSONValue, JSONSyntaxError>?

    package init(
        status: Int, headers: [Header] = [], cookies: [String: String] = [:], body: [UInt8] = [], took: Span = .zero,
        parsesJSON: Bool = true
    ) {
        self.status = status
        self.headers = headers
        self.cookies = cookies
        self.body = body
        self.took = took
        json = parsesJSON ? Result { () throws(JSONSyntaxError) in try JSONValue(parsing: body) } : nil
    }
}

/// All rows of a result; one that is too large to be read whole never becomes an observation.
package struct SQLObservation: Hashable, Sendable {
    package var columns: [String]
    package var rows: [[JSONValue]]

    package init(columns: [String], rows: [[JSONValue]]) {
        self.columns = columns
        self.rows = rows
    }
}
