/// SET and RESET.
extension QueryAnalyzer {
    /// `SET [SESSION | LOCAL] …`. A scope's word is a setting's name if `=`, TO or a dot follows.
    mutating func meetSet() {
        var index = 1
        var isLocal = false
        if isKeyword(1, "local"), !isAssigned(1) {
            isLocal = true
            index = 2
        } else if isKeyword(1, "session"), !isAssigned(1), !isKeyword(2, "authorization"),
            !isKeyword(2, "characteristics")
        {
            index = 2
        }
        meetTemporaryPath()
        if isKeyword(index, "transaction") || isKeyword(index, "constraints"), !isAssigned(index) { return }
        let taints = meetAssignment(index)
        statement.taints.formUnion(isLocal ? taints.intersection(.unreadable) : taints)
        if isLocal { statement.setting = nil }
    }

    private func isAssigned(_ index: Int) -> Bool {
        isSymbol(index + 1, UInt8(ascii: "=")) || isSymbol(index + 1, ByteClass.dot) || isKeyword(index + 1, "to")
    }

    /// Notes the setting if it is a plain one, and answers what it leaves behind if it is not local.
    private mutating func meetAssignment(_ index: Int) -> SessionTaint {
        if !isAssigned(index) {
            if isKeyword(index, "session"), isKeyword(index + 1, "characteristics") { return .settings }
            if isKeyword(index, "session"), isKeyword(index + 1, "authorization") {
                return meetAuthorization(index + 2)
            }
            if isKeyword(index, "role") { return .role }
            if isKeyword(index, "time"), isKeyword(index + 1, "zone") {
                let isDefault = isKeyword(index + 2, "local") && statement.head.count == index + 3
                return isDefault ? noted("timezone", []) : meetValues("timezone", from: index + 2)
            }
            if isKeyword(index, "names") {
                let isDefault = statement.head.count == index + 1
                return isDefault ? noted("client_encoding", []) : meetValues("client_encoding", from: index + 1)
            }
            if isKeyword(index, "schema") { return meetValues("search_path", from: index + 1) }
            if isKeyword(index, "xml"), isKeyword(index + 1, "option") {
                return meetValues("xmloption", from: index + 2)
            }
        }
        guard let (name, behind) = settingName(from: index) else { return .anySetting.union(.unreadable) }
        guard isSymbol(behind, UInt8(ascii: "=")) || isKeyword(behind, "to") else {
            return taint(of: name, values: nil)
        }
        return meetValues(name, from: behind + 1)
    }

    private mutating func meetAuthorization(_ index: Int) -> SessionTaint {
        guard isKeyword(index, "default"), statement.head.count == index + 1, isKeyword(1, "session") else {
            return .authorization
        }
        facts.clears.insert(.authorization)
        return []
    }

    /// A name with dots, and the place behind it.
    private func settingName(from start: Int) -> (String, Int)? {
        var parts: [String] = []
        var index = start
        while index < statement.head.count, word(statement.head[index]).isName {
            parts.append(word(statement.head[index]).text.lowercased())
            index += 1
            guard isSymbol(index, ByteClass.dot) else { return (parts.joined(separator: "."), index) }
            index += 1
        }
        return nil
    }

    private mutating func meetValues(_ name: String, from start: Int) -> SessionTaint {
        guard let values = settingValues(from: start) else { return taint(of: name, values: nil) }
        // The server puts names into quotes in these lists, and numbers not.
        if name == "search_path" || name == "temp_tablespaces",
            statement.head[start...].contains(where: { $0.kind == .number })
        {
            return taint(of: name, values: values)
        }
        return noted(name, values)
    }

    private mutating func noted(_ name: String, _ values: [String]) -> SessionTaint {
        statement.setting = QuerySetting(name: name, values: values)
        return taint(of: name, values: values)
    }

    /// Values with commas between them; none for DEFAULT; nil if they are not plain ones.
    private func settingValues(from start: Int) -> [String]? {
        let tokens = statement.head
        guard start < tokens.count, !statement.hasMore else { return nil }
        if isKeyword(start, "default"), tokens.count == start + 1 { return [] }
        var values: [String] = []
        var index = start
        while index < tokens.count {
            var sign = ""
            if isSymbol(index, ByteClass.minus) || isSymbol(index, ByteClass.plus) {
                sign = isSymbol(index, ByteClass.minus) ? "-" : ""
                index += 1
                guard index < tokens.count, tokens[index].kind == .number else { return nil }
            }
            guard let value = settingValue(tokens[index]) else { return nil }
            values.append(sign + value)
            index += 1
            if index == tokens.count { return values }
            guard tokens[index].kind == .comma else { return nil }
            index += 1
        }
        return nil
    }

    private func settingValue(_ token: QueryToken) -> String? {
        switch token.kind {
        case .word:
            let value = word(token)
            // A longer name is cut, and other letters are folded as the server's locale has it.
            return value.isKeyword("default") || value.count > 63 || !value.isASCII ? nil : value.text
        case .quotedName: return word(token).count > 63 ? nil : word(token).text
        case .number: return isDecimal(token) ? constant(token) : nil
        case .string: return constant(token)
        default: return nil
        }
    }

    /// In quotes it means the same: no `010`, which is ten here and eight there, no `0x1F`, no `1_000`.
    private func isDecimal(_ token: QueryToken) -> Bool {
        let bytes = UnsafeBufferPointer(start: base + token.start, count: token.count)
        if bytes.count > 1, bytes[0] == 0x30, ByteClass.isDigit(bytes[1]) { return false }
        return bytes.allSatisfy { ByteClass.isDigit($0) || $0 == ByteClass.dot }
    }

    /// The value of a number or of a text in plain quotes that stands in one piece.
    func constant(_ token: QueryToken) -> String? {
        guard token.kind == .string else {
            let bytes = UnsafeBufferPointer(start: base + token.start, count: token.count)
            return token.kind == .number ? String(decoding: bytes, as: UTF8.self) : nil
        }
        var value: [UInt8] = []
        var offset = token.start + 1
        while offset < token.end - 1 {
            if base[offset] == ByteClass.quote {
                guard offset + 1 < token.end - 1, base[offset + 1] == ByteClass.quote else { return nil }
                offset += 1
            }
            value.append(base[offset])
            offset += 1
        }
        return String(decoding: value, as: UTF8.self)
    }

    /// - Parameter values: nil for unknown ones.
    func taint(of name: String, values: [String]?) -> SessionTaint {
        switch name {
        case "role": .role
        case "session_authorization": .authorization
        case "seed": .backend
        case "standard_conforming_strings":
            values == [] || values?.first.map { ["on", "true", "yes", "1"].contains($0.lowercased()) } == true
                ? .settings : [.settings, .unreadable]
        case "client_encoding":
            values == [] || values?.first.map(Self.isReadable(encoding:)) == true
                ? .settings : [.settings, .unreadable]
        default: .settings
        }
    }

    /// In these encodings a byte below 0x80 is always the ASCII character, and never a part of a letter.
    static func isReadable(encoding: String) -> Bool {
        let name = encoding.lowercased().filter { $0.isLetter || $0.isNumber }
        let known: Set<String> = [
            "utf8", "unicode", "sqlascii", "win866", "win874", "abc", "tcvn", "vscii", "alt", "koi8", "koi8r", "koi8u",
            "eucjp", "eucjis2004", "euckr", "euctw", "euccn", "muleinternal", "windows866", "windows874",
        ]
        return known.contains(name) || name.hasPrefix("latin") || name.hasPrefix("iso8859") || name.hasPrefix("win125")
            || name.hasPrefix("windows125")
    }

    /// Takes the statement's setting to those of the text, and notes whether the text is a whole still.
    mutating func noteSetting(_ verb: QueryWord) {
        if let setting = statement.setting {
            if facts.settings.count < CarriedSettings.countLimit {
                facts.settings.append(setting)
            } else {
                // They would not be carried, and a text of megabytes has millions of them.
                facts.isWhole = false
            }
            return
        }
        let changesSettings = !statement.taints.isDisjoint(with: .anySetting)
        if changesSettings || !keepsTransaction(verb) { facts.isWhole = false }
    }

    private func keepsTransaction(_ verb: QueryWord) -> Bool {
        switch statement.kind {
        case .select, .insert, .update, .delete, .merge, .show, .explain, .cursor, .execute, .prepare: true
        case .utility: verb.isKeyword("listen") || verb.isKeyword("unlisten") || verb.isKeyword("notify")
        default: false
        }
    }

    // MARK: RESET

    mutating func meetReset() {
        if isKeyword(1, "all"), statement.head.count == 2 {
            facts.clears.insert(.settings)
            statement.setting = .all
        } else if isKeyword(1, "role"), statement.head.count == 2 {
            facts.clears.insert(.role)
        } else if isKeyword(1, "session"), isKeyword(2, "authorization") {
            facts.clears.insert(.authorization)
        } else if isKeyword(1, "transaction"), isKeyword(2, "isolation") {
            return
        } else if isKeyword(1, "time"), isKeyword(2, "zone") {
            statement.taints.formUnion(noted("timezone", []))
        } else if let (name, behind) = settingName(from: 1), behind == statement.head.count {
            statement.taints.formUnion(noted(name, []))
        } else {
            statement.taints.formUnion(.anySetting)
        }
    }

    /// A search path with the schema of temporary objects makes temporary ones of those created after it.
    private mutating func meetTemporaryPath() {
        if statement.hasMore || statement.head.contains(where: mentionsTemporary) { statement.keepsTemporary = true }
    }

    func mentionsTemporary(_ token: QueryToken) -> Bool {
        guard token.isText else { return false }
        let text = UnsafeBufferPointer(start: base + token.start, count: token.count)
        if token.kind != .string, text.contains(ByteClass.backslash) { return true }
        let wanted = Array("pg_temp".utf8)
        guard text.count >= wanted.count else { return false }
        return (0...text.count - wanted.count).contains { start in
            wanted.indices.allSatisfy { ByteClass.lowercased(text[start + $0]) == wanted[$0] }
        }
    }
}
