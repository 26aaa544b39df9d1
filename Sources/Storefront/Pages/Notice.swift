/// What a page says about what was just done; addresses carry its name only, never a text.
enum Notice: String, Sendable {
    case favoriteAdded = "favorite-added"
    case favoriteAlready = "favorite-already"
    case favoriteRemoved = "favorite-removed"
    case postCreated = "post-created"
    case postDeleted = "post-deleted"
    case signedIn = "signed-in"
    case signedUp = "signed-up"
    case signedOut = "signed-out"
    case reported = "reported"

    init?(_ fields: FormFields) {
        guard let name = fields["notice"], let notice = Notice(rawValue: name) else { return nil }
        self = notice
    }

    var text: String {
        switch self {
        case .favoriteAdded: "Added to your favorites."
        case .favoriteAlready: "This was among your favorites already."
        case .favoriteRemoved: "Removed from your favorites."
        case .postCreated: "Your post is out."
        case .postDeleted: "Your post is deleted."
        case .signedIn: "You are signed in."
        case .signedUp: "Welcome! Your account is ready."
        case .signedOut: "You are signed out."
        case .reported: "Thank you. Your report has arrived, and the people who look after the shop have been told."
        }
    }
}
