import Decide
import Testing

@testable import Explain

@Suite("Markdown")
struct MarkdownTests {
    @Test(
        "escapes what could be markup",
        arguments: [
            ("plain", "plain"), ("a_b*c", "a\\_b\\*c"), ("[x](y)", "\\[x\\](y)"), ("<b>&", "&lt;b&gt;&amp;"),
            ("a|b", "a\\|b"), ("line\none\r\n\ttwo", "line one two"), ("`code`", "\\`code\\`"), ("#1!", "#1!"),
            ("\u{1}bell\u{7}", "bell"),
        ])
    func escapes(text: String, expected: String) {
        #expect(Markdown.escape(text) == expected)
    }

    @Test(
        "fences code by more backticks than it holds",
        arguments: [("a", "`a`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("a|b", "`a\\|b`")])
    func code(text: String, expected: String) {
        #expect(Markdown.code(text) == expected)
    }

    @Test("keeps a paragraph from becoming a list")
    func starts() {
        let document = PostmortemDocument(
            title: "T",
            sections: [
                .init(
                    title: "S", blocks: [.paragraph("- one"), .paragraph("1. two"), .list(["+ three", "# four"])])
            ])
        #expect(document.markdown(base: "") == "# T\n\n## S\n\n\\- one\n\n1\\. two\n\n- \\+ three\n- \\# four\n")
    }

    @Test("percent-encodes what would end a link's target")
    func targets() {
        #expect(Markdown.target("/changes/a b)c|d") == "/changes/a%20b%29c%7Cd")
    }
}
