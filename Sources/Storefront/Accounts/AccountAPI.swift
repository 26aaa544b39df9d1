import HTTPTypes
import Hummingbird

/// Accounts and sessions for programs.
struct AccountAPI: Sendable {
    let shop: Shop

    var routes: [Route] {
        [
            Route(.post, "/api/users", signUp),
            Route(.post, "/api/session", signIn),
            Route(.get, "/api/session", whoAmI),
            Route(.delete, "/api/session", signOut),
        ]
    }

    @Sendable private func signUp(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let input = try await request.json(NewUser.self)
        let user = try await shop.accounts.signUp(
            email: input.email, name: input.name, password: input.password, from: context.address)
        return .json(UserBody(user), status: .created)
    }

    @Sendable private func signIn(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        let input = try await request.json(Credentials.self)
        let (user, token) = try await shop.accounts.signIn(
            email: input.email, password: input.password, from: context.address)
        let seconds = Int(Sessions.lifetimeMilliseconds / 1000)
        return .json(SessionBody(token: token, expiresIn: seconds, user: UserBody(user)), status: .created)
    }

    @Sendable private func whoAmI(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        .json(UserBody(try context.visitor.signedIn()))
    }

    @Sendable private func signOut(_ request: Request, _ context: StorefrontContext) async throws -> Response {
        _ = try context.visitor.signedIn()
        switch context.visitor.credential {
        case .none: break
        case .cookie(let token), .bearer(let token): try await shop.sessions.end(token: token)
        }
        return .noContent
    }

    private struct NewUser: Decodable {
        var email: String
        var name: String
        var password: String
    }

    private struct Credentials: Decodable {
        var email: String
        var password: String
    }

    private struct SessionBody: Encodable {
        var token: String
        var expiresIn: Int
        var user: UserBody

        private enum CodingKeys: String, CodingKey {
            case token, user
            case expiresIn = "expires_in"
        }
    }

    private struct UserBody: Encodable {
        var id: String
        var email: String
        var name: String

        init(_ user: User) {
            id = user.key
            email = user.email
            name = user.name
        }
    }
}
