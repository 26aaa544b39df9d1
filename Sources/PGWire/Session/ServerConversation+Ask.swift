import NIOCore

/// What we ask ourselves.
extension ServerConversation {
    /// A simple query of ours. Its answer is nobody's but ours.
    package func ask(_ text: String) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writePGQuery(text)
        unnamedSerial = 0
        sent(Reply(kind: .query, audience: .us))
        return bytes
    }

    /// Brings the session into the state that its next client knows, whose messages may follow at once: should it fail,
    /// none of them is done.
    package func setUp(_ statements: String) -> ByteBuffer {
        isSettingUp = true
        // A failed transaction refuses whatever comes.
        return ask("BEGIN; \(statements); COMMIT")
    }

    /// What ends the batch of a client that left before its end; nil when the end is on its way already.
    package func endBatch() -> ByteBuffer? {
        var bytes = ByteBuffer()
        if isCopyingIn {
            bytes.writePGFrame("f") { $0.writePGString("the client left") }
            isCopyingIn = false
        }
        if hasOpenBatch || isSkippingToSync {
            bytes.writePGSync()
            sent(Reply(kind: .sync, audience: .us))
        }
        return bytes.readableBytes > 0 ? bytes : nil
    }

    /// Before `DISCARD ALL`.
    package func forgetPrepared() {
        prepared.removeAll()
        held.removeAll()
        unnamedSerial = 0
    }
}
