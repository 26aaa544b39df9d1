import MainstayKit

/// Who sent a request.
struct Visitor: Sendable {
    /// How the visitor proved who they are.
    enum Credential: Sendable, Equatable {
        case none
        case cookie(String)
        case bearer(String)
    }

    var credential: Credential
    var user: User?
    /// The token that this visitor's forms carry.
    var csrf: String
    /// Set when the visitor has no form cookie yet: the response to a page brings it.
    var newFormCookie: String?
    /// What flags are evaluated for.
    var flags: UserContext
    /// Why the session could not be looked up; what needs a signed-in user fails with it.
    var failure: (any Error)?

    static let stranger = Visitor(credential: .none, csrf: "", flags: UserContext(key: nil))

    /// Left out of analytics.
    var synthetic: Bool { flags.isSynthetic }

    func accepts(csrf token: String) -> Bool { !csrf.isEmpty && Token.equal(token, csrf) }

    /// Throws 401 for a signed-out visitor.
    func signedIn() throws -> User {
        if let failure { throw failure }
        guard let user else { throw Problem.signInNeeded }
        return user
    }
}
