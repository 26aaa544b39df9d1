import EndToEndSupport
import Foundation
import Testing

extension EndToEnd {
    /// The command line as a pipeline uses it.
    @Suite(.serialized) struct CommandTests {
        @Test("release create attaches reports, finds the variant, lists every reason, and exits with 1 when blocked")
        func releaseCreate() async throws {
            try await Town.run { town in
                try town.configure()
                try await town.startMainstay()
                let report = town.directory + "/junit.xml"
                let cases = "<testcase classname=\"FavoritesTests\" name=\"stores a row\"/>"
                try "<testsuites><testsuite name=\"favorites\">\(cases)</testsuite></testsuites>"
                    .write(toFile: report, atomically: true, encoding: .utf8)
                let outcome = try await Command.run(
                    Binaries.mainstay,
                    [
                        "release", "create", "--service", "storefront", "--feature", "favorites", "--commit",
                        "5f2c1e7a90b4", "--junit", report,
                    ], environment: ["MAINSTAY_URL": town.api.url, "MAINSTAY_TOKEN": town.api.token ?? ""])
                #expect(outcome.code == 1)
                #expect(outcome.output.contains("storefront-favorites-v2-5f2c1e7a90b4: waiting"), "\(outcome.errors)")
                #expect(outcome.output.contains("✓ 1 passing test of favorites"))
                #expect(outcome.output.contains("✗ 0 of 1 approvals"))
                #expect(outcome.errors.contains("choose with --variant"))
            }
        }
    }
}
