import Decide
import EndToEndSupport
import Foundation
import NIOHTTP1
import Testing

/// A headless Chromium, driven through chromedriver (W3C WebDriver).
struct Browser: Sendable {
    /// Chromium's path; empty: no browser tests.
    static let chromium = ProcessInfo.processInfo.environment["MAINSTAY_TEST_CHROMIUM"] ?? ""
    static let isAvailable = !chromium.isEmpty
    private static let driver = "/usr/bin/chromedriver"
    private static let elementKey = "element-6066-11e4-a52e-4f735466cecf"

    struct Element: Sendable {
        fileprivate var id: String
        fileprivate var json: JSONValue { [Browser.elementKey: .string(id)] }
    }

    private let door: Door
    private let session: String

    /// Opens a browser with a profile of its own, and closes it afterwards.
    static func run(_ town: Town, script: Bool = true, _ body: (Browser) async throws -> Void) async throws {
        let port = try FreePort.take()
        let name = "chromedriver-\(port)"
        // What browser and driver leave in the directory of temporary files goes with the town.
        let process = town.process(name, driver, ["--port=\(port)"], environment: ["TMPDIR": town.directory])
        let door = Door(url: "http://127.0.0.1:\(port)", token: nil)
        try await process.start()
        try await eventually("chromedriver answers") { try await door(.GET, "/status").status == 200 }
        let answer = try await door(.POST, "/session", ["capabilities": ["alwaysMatch": capabilities(town, script)]])
        guard let session = answer.json["value"]?["sessionId"]?.string else {
            throw Complaint("no browser: \(answer.text)")
        }
        let browser = Browser(door: door, session: session)
        do {
            try await body(browser)
        } catch {
            let page = (try? await browser.text("body")) ?? ""
            let address = (try? await browser.address) ?? ""
            _ = try? await door(.DELETE, "/session/\(session)")
            throw Complaint("\(error)\nin the browser at \(address):\n\(page.prefix(2_000))")
        }
        _ = try await door(.DELETE, "/session/\(session)")
        try await process.stop()
    }

    private static func capabilities(_ town: Town, _ script: Bool) -> JSONValue {
        let profile = "\(town.directory)/chromium-\(UUID().uuidString.prefix(8))"
        var options: [String: JSONValue] = [
            "binary": .string(chromium),
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--window-size=1200,900", .string("--user-data-dir=\(profile)"),
            ],
        ]
        if !script { options["prefs"] = ["profile.managed_default_content_settings.javascript": 2] }
        return [
            "browserName": "chrome", "goog:chromeOptions": .object(options), "goog:loggingPrefs": ["browser": "ALL"],
        ]
    }

    // MARK: Commands

    @discardableResult
    private func command(_ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        let answer = try await door(method, "/session/\(session)\(path)", body)
        guard answer.status == 200 else {
            throw Complaint("\(path): \(answer.json["value"]?["message"]?.string ?? answer.text)")
        }
        return answer.json["value"] ?? .null
    }

    func open(_ url: String) async throws { try await command(.POST, "/url", ["url": .string(url)]) }

    var address: String { get async throws { try await command(.GET, "/url").string ?? "" } }

    func find(_ css: String) async throws -> Element {
        let found = try await command(.POST, "/element", ["using": "css selector", "value": .string(css)])
        guard let id = found[Self.elementKey]?.string else { throw Complaint("nothing at \(css)") }
        return Element(id: id)
    }

    func exists(_ css: String) async throws -> Bool {
        let found = try await command(.POST, "/elements", ["using": "css selector", "value": .string(css)])
        return found.array?.isEmpty == false
    }

    func text(_ css: String) async throws -> String {
        try await command(.GET, "/element/\(find(css).id)/text").string ?? ""
    }

    func attribute(_ name: String, of css: String) async throws -> String? {
        try await command(.GET, "/element/\(find(css).id)/attribute/\(name)").string
    }

    func click(_ css: String) async throws {
        try await command(.POST, "/element/\(find(css).id)/click", [:])
    }

    func type(_ text: String, into css: String) async throws {
        let element = try await find(css)
        try await command(.POST, "/element/\(element.id)/clear", [:])
        try await command(.POST, "/element/\(element.id)/value", ["text": .string(text)])
    }

    /// Chooses an option by its value or text.
    func choose(_ option: String, in css: String) async throws {
        let options = try await command(
            .POST, "/elements", ["using": "css selector", "value": .string("\(css) option")])
        for found in options.array ?? [] {
            guard let id = found[Self.elementKey]?.string else { continue }
            let text = try await command(.GET, "/element/\(id)/text").string
            let value = try await command(.GET, "/element/\(id)/attribute/value").string
            if text == option || value == option {
                try await command(.POST, "/element/\(id)/click", [:])
                return
            }
        }
        throw Complaint("no option \(option) in \(css)")
    }

    func evaluate(_ script: String) async throws -> JSONValue {
        try await command(.POST, "/execute/sync", ["script": .string(script), "args": []])
    }

    /// Waits until an element's text contains the words.
    func see(_ words: String, in css: String = "body") async throws {
        var last = ""
        do {
            try await eventually("seen", within: .seconds(60)) {
                last = try await text(css)
                return last.contains(words)
            }
        } catch {
            throw Complaint("\u{201C}\(words)\u{201D} is not to be seen in \(css), but: \(last.prefix(600))")
        }
    }

    // MARK: How it looks

    /// Errors that pages wrote to the console since it was last asked.
    func complaints() async throws -> [String] {
        let lines = try await command(.POST, "/se/log", ["type": "browser"]).array ?? []
        return lines.filter { ["SEVERE", "WARNING"].contains($0["level"]?.string) }
            .compactMap { $0["message"]?.string }
    }

    func expectNoComplaints(_ place: SourceLocation = #_sourceLocation) async throws {
        let complaints = try await complaints()
        #expect(complaints == [], sourceLocation: place)
    }

    func expectGoodLooks(_ place: SourceLocation = #_sourceLocation) async throws {
        let faults = try await appearance()
        #expect(faults == [], sourceLocation: place)
    }

    func resize(width: Int, height: Int = 844) async throws {
        try await developer(
            "Emulation.setDeviceMetricsOverride",
            [
                "width": .integer(Int64(width)), "height": .integer(Int64(height)), "deviceScaleFactor": 1,
                "mobile": .bool(width < 600),
            ])
    }

    func prefer(dark: Bool) async throws {
        try await developer(
            "Emulation.setEmulatedMedia",
            ["features": [["name": "prefers-color-scheme", "value": dark ? "dark" : "light"]]])
    }

    private func developer(_ name: String, _ parameters: JSONValue) async throws {
        try await command(.POST, "/goog/cdp/execute", ["cmd": .string(name), "params": parameters])
    }

    /// What is wrong with the present page on a phone and in either colour scheme.
    func appearance() async throws -> [String] {
        var faults: [String] = []
        let address = try await address
        try await resize(width: 390)
        let width = try await evaluate("return document.documentElement.scrollWidth").number ?? 0
        if width > 390 {
            let culprit = try await evaluate(Self.widest).string ?? ""
            faults.append("\(address) is \(Int(width)) wide on a phone of 390 because of \(culprit)")
        }
        var brightness: [Double] = []
        for dark in [false, true] {
            try await prefer(dark: dark)
            let colours = try await evaluate(Self.brightness).array?.compactMap(\.number) ?? []
            guard colours.count == 2 else { throw Complaint("no colours: \(colours)") }
            brightness.append(colours[0])
            if abs(colours[0] - colours[1]) < 90 {
                faults.append("\(address) is hard to read \(dark ? "in the dark" : "in the light"): \(colours)")
            }
        }
        if brightness[0] <= brightness[1] { faults.append("\(address) has no dark dress: \(brightness)") }
        try await prefer(dark: false)
        try await resize(width: 1_200, height: 900)
        return faults
    }

    private static let widest = """
        let worst = null;
        for (const e of document.querySelectorAll('body *')) {
          const right = e.getBoundingClientRect().right;
          if (!e.closest('.scroll') && right > 390.5 && (!worst || right > worst[1])) worst = [e, right];
        }
        return worst ? worst[0].outerHTML.slice(0, 200) + ' to ' + worst[1] : '';
        """

    /// 0…255 of the page's ground and of its heading.
    private static let brightness = """
        const light = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number); return 0.3*r + 0.59*g + 0.11*b; };
        const ground = e => {
          for (; e; e = e.parentElement) {
            const c = getComputedStyle(e).backgroundColor;
            if (!/, 0\\)$|transparent/.test(c)) return c;
          }
          return matchMedia('(prefers-color-scheme: dark)').matches ? 'rgb(18,18,18)' : 'rgb(255,255,255)';
        };
        const head = document.querySelector('main h1, main h2') || document.body;
        return [light(ground(head)), light(getComputedStyle(head).color)];
        """
}
