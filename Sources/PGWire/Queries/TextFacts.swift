/// What one text says: the query that it is, which many texts share, and what it says for itself.
package struct TextFacts {
    package var query: QueryInfo
    /// Named in its comment (`ReleaseNames`); 0: none.
    package var release: UInt32

    init(query: QueryInfo, release: UInt32) {
        self.query = query
        self.release = release
    }

    init(_ statement: PreparedStatement) {
        self.init(query: statement.query, release: statement.release)
    }
}
