import Foundation
import Guard

/// Reads `mainstay.yaml`, or every `*.yaml` and `*.yml` of a folder as if they were one file.
package enum ConfigurationLoader {
    static let fileLimit = 100

    /// Throws everything that is wrong at once. Nothing outside the files and `environment` is looked at, so whether a
    /// configuration is valid does not depend on what is running.
    package static func load(
        path: String, environment: [String: String]
    ) throws(ConfigurationErrors) -> Configuration {
        let log = ProblemLog()
        let sources = sources(at: path, log)
        guard log.isEmpty else { throw log.errors }
        return try read(sources, environment: environment, log: log)
    }

    /// The guard's settings alone.
    package static func loadGuard(
        path: String, environment: [String: String]
    ) throws(ConfigurationErrors) -> GuardSettings {
        let log = ProblemLog()
        let sources = sources(at: path, log)
        guard log.isEmpty else { throw log.errors }
        var merging = Merging(log: log)
        for source in sources {
            if let root = source.parse(environment: environment, log: log) { merging.add(root) }
        }
        guard log.isEmpty else { throw log.errors }
        guard let root = merging.root else {
            log.add(ConfigurationNode.Place(file: path, line: 1, column: 1), "", "the file is empty")
            throw log.errors
        }
        guard let settings = ConfigurationReader(root, log: log).readGuardOnly(), log.isEmpty else { throw log.errors }
        return settings
    }

    static func read(
        _ sources: [ConfigurationSource], environment: [String: String], log: ProblemLog = ProblemLog()
    ) throws(ConfigurationErrors) -> Configuration {
        var merging = Merging(log: log)
        for source in sources {
            let before = log.isEmpty
            guard let root = source.parse(environment: environment, log: log) else {
                if before, log.isEmpty, sources.count == 1 {
                    log.add(ConfigurationNode.Place(file: source.name, line: 1, column: 1), "", "the file is empty")
                }
                continue
            }
            merging.add(root)
        }
        guard let root = merging.root else { throw log.errors }
        let configuration = ConfigurationReader(root, log: log).read()
        guard log.isEmpty else { throw log.errors }
        return configuration
    }

    private static func sources(at path: String, _ log: ProblemLog) -> [ConfigurationSource] {
        let place = ConfigurationNode.Place(file: path, line: 1, column: 1)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            log.add(place, "", "there is no such file")
            return []
        }
        guard isFolder.boolValue else { return [source(path, log)].compactMap(\.self) }
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted().filter {
                !$0.hasPrefix(".") && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml"))
            }
            if names.isEmpty { log.add(place, "", "there is no *.yaml in this folder") }
            if names.count > fileLimit { log.add(place, "", "there are more than \(fileLimit) files in this folder") }
            let folder = path.hasSuffix("/") ? path : path + "/"
            return names.prefix(fileLimit).compactMap { source(folder + $0, log) }
        } catch {
            log.add(place, "", "this folder cannot be listed")
            return []
        }
    }

    private static func source(_ path: String, _ log: ProblemLog) -> ConfigurationSource? {
        log.files.append(path)
        switch TextFile.read(path, limit: ConfigurationSource.byteLimit) {
        case .success(let bytes):
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            return ConfigurationSource(name: path, folder: folder, bytes: bytes)
        case .failure(let reason):
            log.add(ConfigurationNode.Place(file: path, line: 1, column: 1), "", reason.message)
            return nil
        }
    }
}

/// Small files, whole.
enum TextFile {
    struct Unreadable: Error {
        var message: String
    }

    static func read(_ path: String, limit: Int) -> Result<[UInt8], Unreadable> {
        do {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: (path as NSString).resolvingSymlinksInPath)
            guard attributes[.type] as? FileAttributeType == .typeRegular else {
                return .failure(Unreadable(message: "this is not a regular file"))
            }
            guard (attributes[.size] as? NSNumber)?.intValue ?? 0 <= limit else {
                return .failure(Unreadable(message: "the file is larger than \(limit >> 10) KiB"))
            }
        } catch {
            return .failure(Unreadable(message: "there is no such file"))
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            return .failure(Unreadable(message: "the file cannot be read"))
        }
        return .success(Array(data))
    }
}

/// Makes one document of several files.
private struct Merging {
    private static let named: Set<String> = [
        "people", "teams", "channels", "services", "journeys", "checks", "gates", "rollouts",
    ]

    let log: ProblemLog
    private var members: [ConfigurationNode.Member] = []
    private var place: ConfigurationNode.Place?

    init(log: ProblemLog) {
        self.log = log
    }

    var root: ConfigurationNode? { place.map { ConfigurationNode(value: .map(members), place: $0) } }

    mutating func add(_ root: ConfigurationNode) {
        guard case .map(let added) = root.value else {
            log.add(root.place, "", "a mapping with keys such as 'services' is expected here, not \(root.kind)")
            return
        }
        place = place ?? root.place
        for member in added {
            guard let index = members.firstIndex(where: { $0.key == member.key }) else {
                members.append(member)
                continue
            }
            if case .map(let old) = members[index].value.value, case .map(let new) = member.value.value,
                Self.named.contains(member.key)
            {
                members[index].value.value = .map(merged(old, new, key: member.key))
            } else {
                let first = members[index].place
                log.add(member.place, member.key, "'\(member.key)' stands in \(first.file):\(first.line) already")
            }
        }
    }

    private func merged(
        _ old: [ConfigurationNode.Member], _ new: [ConfigurationNode.Member], key: String
    ) -> [ConfigurationNode.Member] {
        var all = old
        for member in new {
            if let first = old.first(where: { $0.key == member.key })?.place {
                log.add(
                    member.place, "\(key).\(member.key)",
                    "'\(member.key)' is declared in \(first.file):\(first.line) already")
            } else {
                all.append(member)
            }
        }
        return all
    }
}
