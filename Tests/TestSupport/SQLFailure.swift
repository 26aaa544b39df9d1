import SQL
import Testing

/// The error that `body` throws; the test fails when it throws none, or one of another kind.
package func sqlError<Value>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Value
) async -> SQLError? {
    do {
        _ = try await body()
        Issue.record("no error was thrown", sourceLocation: sourceLocation)
    } catch let error as SQLError {
        return error
    } catch {
        Issue.record("not an SQLError: \(error)", sourceLocation: sourceLocation)
    }
    return nil
}
