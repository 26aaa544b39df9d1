/// One step of a database's shape, forward only. Once released it is never changed: another one follows it.
package struct Migration: Sendable {
    /// 1, 2, 3, … without gaps.
    package let version: Int
    package let name: String
    package let statements: @Sendable (SQLDialect) -> [String]

    package init(version: Int, name: String, statements: @escaping @Sendable (SQLDialect) -> [String]) {
        self.version = version
        self.name = name
        self.statements = statements
    }
}
