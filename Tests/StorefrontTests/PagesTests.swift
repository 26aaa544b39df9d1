import Foundation
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Storefront

@Suite("The pages, without script")
struct PagesTests {
    /// Signs in through the form and returns the browser's cookies.
    static func signIn(_ shop: TestShop, user: Int = 1, back: String = "/") async throws -> [String: String] {
        let page = try await shop.page("/sign-in?back=\(FormFields.encode(back))")
        let form = try #require(page.cookie(CookieJar.form))
        let answer = try await shop.form(
            "/sign-in",
            ["csrf": try page.csrf, "back": back, "email": DemoData.email(user: user), "password": "demo"],
            cookies: [CookieJar.form: form])
        #expect(answer.status == 303)
        #expect(answer.location == back + "?notice=signed-in")
        let cookie = try #require(answer.headers[values: .setCookie].first { $0.hasPrefix(CookieJar.session) })
        #expect(cookie.hasSuffix("; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax"))
        return [CookieJar.form: form, CookieJar.session: try #require(answer.cookie(CookieJar.session))]
    }

    @Test("let a visitor sign up, like a product, see it and remove it")
    func favorites() async throws {
        try await TestShop.run { shop async throws in
            let page = try await shop.page("/sign-up")
            let form = try #require(page.cookie(CookieJar.form))
            let made = try await shop.form(
                "/sign-up",
                ["csrf": try page.csrf, "name": "Eve <b>", "email": "eve@b.test", "password": "long enough"],
                cookies: [CookieJar.form: form])
            #expect(made.status == 303)
            let cookies = [CookieJar.session: try #require(made.cookie(CookieJar.session))]

            let product = try await shop.page("/products/7", cookies: cookies)
            #expect(product.text.contains(">Add to Favorites</button>"))
            #expect(product.text.contains("Eve &lt;b&gt;") && !product.text.contains("Eve <b>"))
            let pressed = try await shop.form(
                "/products/7/favorite", ["csrf": try product.csrf, "action": "add"], cookies: cookies)
            #expect(pressed.status == 303)
            #expect(pressed.location == "/products/7?notice=favorite-added")
            let after = try await shop.page("/products/7?notice=favorite-added", cookies: cookies)
            #expect(after.text.contains(">Remove from Favorites</button>"))
            #expect(after.text.contains("Added to your favorites."))

            let list = try await shop.page("/favorites", cookies: cookies)
            #expect(list.text.contains("href=\"/products/7\""))
            let removed = try await shop.form(
                "/products/7/favorite", ["csrf": try list.csrf, "action": "remove", "back": "/favorites"],
                cookies: cookies)
            #expect(removed.location == "/favorites?notice=favorite-removed")
            let empty = try await shop.page("/favorites", cookies: cookies)
            #expect(empty.text.contains("You have no favorites yet"))
        }
    }

    @Test("show the fault as people saw it: a success, and an empty list")
    func fault() async throws {
        try await TestShop.run(variants: ["favorites": "v2"]) { shop async throws in
            let cookies = try await Self.signIn(shop)
            let product = try await shop.page("/products/7", cookies: cookies)
            let pressed = try await shop.form(
                "/products/7/favorite", ["csrf": try product.csrf, "action": "add"], cookies: cookies)
            #expect(pressed.location == "/products/7?notice=favorite-added")
            let list = try await shop.page("/favorites", cookies: cookies)
            #expect(list.text.contains("You have no favorites yet"))
        }
    }

    @Test("let a user write a post and delete it")
    func posts() async throws {
        try await TestShop.run { shop async throws in
            let cookies = try await Self.signIn(shop)
            let compose = try await shop.page("/posts/new", cookies: cookies)
            let text = "<script>alert(1)</script>\nSecond & last"
            let made = try await shop.form(
                "/posts", ["csrf": try compose.csrf, "title": "A title", "body": text], cookies: cookies)
            #expect(made.location == "/posts/13?notice=post-created")
            let post = try await shop.page("/posts/13", cookies: cookies)
            #expect(post.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;\nSecond &amp; last"))
            #expect(try await shop.page("/posts").text.contains("A title"))
            #expect(try await !shop.page("/posts/13").text.contains("Delete this post"))
            let gone = try await shop.form("/posts/13/delete", ["csrf": try post.csrf], cookies: cookies)
            #expect(gone.location == "/posts?notice=post-deleted")
            #expect(try await shop.page("/posts/13").status == 404)
        }
    }

    @Test("give a refused form back with what was typed and what is wrong")
    func refusedForm() async throws {
        try await TestShop.run { shop async throws in
            let cookies = try await Self.signIn(shop)
            let compose = try await shop.page("/posts/new", cookies: cookies)
            let answer = try await shop.form(
                "/posts", ["csrf": try compose.csrf, "title": " ", "body": "My \"text\""], cookies: cookies)
            #expect(answer.status == 422)
            #expect(answer.text.contains("This must not be blank."))
            #expect(answer.text.contains("My &quot;text&quot;</textarea>"))
            let signIn = try await shop.page("/sign-in")
            let wrong = try await shop.form(
                "/sign-in", ["csrf": try signIn.csrf, "email": "a@b.test", "password": "secret-typed"],
                cookies: [CookieJar.form: try #require(signIn.cookie(CookieJar.form))])
            #expect(wrong.status == 401)
            #expect(wrong.text.contains("The e-mail address or the password is wrong."))
            #expect(wrong.text.contains("value=\"a@b.test\""))
            #expect(!wrong.text.contains("secret-typed"))
        }
    }

    @Test("refuse a form without the right token", arguments: [nil, "", "wrong", "other"])
    func forged(token: String?) async throws {
        try await TestShop.run { shop async throws in
            let cookies = try await Self.signIn(shop)
            let other = try await Self.signIn(shop, user: 2)
            var fields = ["action": "add"]
            fields["csrf"] =
                token == "other" ? Token.csrf(session: try #require(other[CookieJar.session])) : token
            let answer = try await shop.form("/products/7/favorite", fields, cookies: cookies)
            #expect(answer.status == 403)
            #expect(try await shop.page("/favorites", cookies: cookies).text.contains("no favorites yet"))
        }
    }

    @Test("refuse a sign-in whose token is not the cookie's")
    func forgedSignIn() async throws {
        try await TestShop.run { shop async throws in
            let fields = ["csrf": Token.random(), "email": DemoData.email(user: 1), "password": "demo"]
            #expect(try await shop.form("/sign-in", fields, cookies: [:]).status == 403)
            let answer = try await shop.form("/sign-in", fields, cookies: [CookieJar.form: Token.random()])
            #expect(answer.status == 403)
        }
    }

    @Test("guard the API against other sites when a cookie signs the request")
    func cookieOnAPI() async throws {
        try await TestShop.run { shop async throws in
            let cookies = try await Self.signIn(shop)
            let cookie = cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
            let bare = try await shop.send(.put, "/api/favorites/7", headers: [.cookie: cookie])
            #expect(bare.status == 403)
            let csrf = Token.csrf(session: try #require(cookies[CookieJar.session]))
            let script = try await shop.send(
                .put, "/api/favorites/7", headers: [.cookie: cookie, .csrfToken: csrf])
            #expect(script.status == 201)
            let read = try await shop.send(.get, "/api/favorites", headers: [.cookie: cookie])
            #expect(try read.items.count == 1)
        }
    }

    @Test("send a signed-out visitor to the sign-in and back", arguments: ["/favorites", "/posts/new"])
    func signInFirst(path: String) async throws {
        try await TestShop.run { shop async throws in
            let answer = try await shop.page(path)
            #expect(answer.status == 303)
            #expect(answer.location == "/sign-in?back=\(FormFields.encode(path))")
            _ = try await Self.signIn(shop, back: path)
        }
    }

    @Test(
        "never lead to another site after a sign-in",
        arguments: ["https://evil.test/", "//evil.test", "/\\evil.test", "evil", "", "/a b", "/\u{7}"])
    func openRedirect(path: String) {
        #expect(AccountPages.safePath(path) == "/")
        #expect(AccountPages.safePath("/posts?x=1") == "/posts?x=1")
    }

    @Test("sign out for good")
    func signOut() async throws {
        try await TestShop.run { shop async throws in
            let cookies = try await Self.signIn(shop)
            let page = try await shop.page("/", cookies: cookies)
            let answer = try await shop.form("/sign-out", ["csrf": try page.csrf], cookies: cookies)
            #expect(answer.location == "/?notice=signed-out")
            #expect(answer.cookie(CookieJar.session) == "")
            #expect(try await shop.page("/favorites", cookies: cookies).status == 303)
        }
    }

    @Test(
        "all carry the button to report a problem, and say what it is about",
        arguments: [
            ("/", "products"), ("/products/7", "favorites"), ("/posts", "posts"), ("/posts/3", "posts"),
            ("/sign-in", "accounts"), ("/sign-up", "accounts"), ("/nowhere", "other"), ("/products/999", "products"),
        ])
    func reportButton(path: String, feature: String) async throws {
        try await TestShop.run { shop async throws in
            let page = try await shop.page(path)
            #expect(page.text.contains("<summary>Report a problem</summary>"))
            #expect(page.text.contains("<option value=\"\(feature)\" selected>"))
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(!page.text.contains("<script>") && !page.text.contains(" style=") && !page.text.contains("onclick"))
        }
    }

    @Test("escape what is searched for")
    func searchEscapes() async throws {
        try await TestShop.run { shop async throws in
            let page = try await shop.page("/?q=%22%3E%3Cscript%3E")
            #expect(page.text.contains("value=\"&quot;&gt;&lt;script&gt;\""))
            #expect(!page.text.contains("\"><script>"))
        }
    }

    @Test("turn pages and keep the search")
    func pager() async throws {
        try await TestShop.run { shop async throws in
            let page = try await shop.page("/?page_size=10&page=2")
            #expect(page.text.contains("Page 2 of 3"))
            #expect(page.text.contains("href=\"/?page_size=10&amp;page=3\""))
            #expect(page.text.contains("href=\"/?page_size=10&amp;page=1\""))
            #expect(try await shop.page("/?page=0").status == 422)
            let posts = try await shop.page("/posts?page_size=5")
            #expect(posts.text.contains("href=\"/posts?before=8&amp;page_size=5\""))
        }
    }

    @Test("say what went wrong on a page of the shop")
    func errorPage() async throws {
        try await TestShop.run { shop async throws in
            let page = try await shop.page("/nowhere")
            #expect(page.status == 404)
            #expect(page.text.contains("There is nothing at this address."))
            let program = try await shop.send(.get, "/nowhere")
            #expect(program.headers[.contentType] == "application/problem+json")
        }
    }
}
