import Decide
import Foundation
import Testing
import Record
@testable import Web

@Suite("Preview") struct PagesPreview {
    @Test(.enabled(if: ProcessInfo.processInfo.environment["PREVIEW"] != nil)) func write() async throws {
        let dir = ProcessInfo.processInfo.environment["PREVIEW"]!
        for (name, end, undo) in [("calm", Scene.End.calm, FeatureAuto.auto), ("open", .open, .auto), ("ask", .proven, .ask), ("resolved", .resolved, .auto)] {
            try await withPages(end, undo: undo == .ask ? .ask : .auto) { _, client in
                func save(_ page: String, _ html: String) throws {
                    var html = html.replacingOccurrences(of: Assets.style.url, with: "style.css").replacingOccurrences(of: Assets.script.url, with: "app.js").replacingOccurrences(of: Assets.icon.url, with: "icon.svg")
                    html = html.replacingOccurrences(of: " data-stream=", with: " data-none=").replacingOccurrences(of: " data-refresh=", with: " data-nix=")
                    try Data(html.utf8).write(to: URL(filePath: "\(dir)/\(name)-\(page).html"))
                }
                for (page, path) in [("dashboard","/"),("incidents","/incidents"),("incident","/incidents/\(Scene.incident)"),("postmortem","/incidents/\(Scene.incident)/postmortem"),("flags","/flags"),("flag","/flags/storefront/favorites"),("changes","/changes"),("releases","/releases"),("release","/releases/\(Scene.release)"),("check","/checks/storefront/favorites-saved"),("timeline","/timeline"),("entry","/timeline/3"),("account","/account")] {
                    try save(page, try await client.get(path, as: .admin).html)
                }
                try save("sign-in", try await client.get("/sign-in", as: nil).html)
                try save("bare", BarePage.render("[high] favorites does not work (storefront)", tone: .ill, icon: "ill", lines: ["Since 2026-11-22T10:01:04.000Z: the row is in the database: n is 0, expected 1.", "Users exposed: 7 of 300 active (2.33 %)."], button: .init(label: "Undo favorites v2 to 5 % of users", isUndo: true), more: ("To incident storefront-favorites-1", "/incidents/x"), small: "As ada. This link works once."))
                try Data(buffer: Assets.style.bytes).write(to: URL(filePath: "\(dir)/style.css"))
                try Data(buffer: Assets.script.bytes).write(to: URL(filePath: "\(dir)/app.js"))
            }
        }
    }
    enum FeatureAuto { case auto, ask }
}
extension Data { init(buffer: NIOCore.ByteBuffer) { self.init(buffer.readableBytesView) } }
import NIOCore
