import NIOCore

/// NegotiateProtocolVersion: what of a start-up packet's protocol is not known here. It goes before the first
/// authentication message; the client then carries on with less, or leaves.
package struct ProtocolNegotiation: Equatable, Sendable {
    /// The minor version that both will speak.
    package var minorVersion: UInt16
    /// Names of `_pq_.…` options that were not understood.
    package var unknownOptions: [String]

    package init(minorVersion: UInt16, unknownOptions: [String]) {
        self.minorVersion = minorVersion
        self.unknownOptions = unknownOptions
    }

    /// - Parameters:
    ///   - supportedMinorVersion: the newest we speak; 2 changes nothing but the length of cancel keys.
    ///   - knownOptions: names with their prefix `_pq_.`.
    /// - Returns: nil when there is nothing to negotiate.
    package init?(
        answering startup: StartupParameters, supportedMinorVersion: UInt16 = 0, knownOptions: Set<String> = []
    ) {
        let unknown = startup.protocolOptions.filter { !knownOptions.contains($0) }
        guard startup.minorVersion > supportedMinorVersion || !unknown.isEmpty else { return nil }
        self.init(minorVersion: min(startup.minorVersion, supportedMinorVersion), unknownOptions: unknown)
    }

    /// Reads the payload of a frame of type `v`.
    package init(parsing payload: ByteBuffer) throws(WireError) {
        var payload = payload
        // Documents call the first field a minor version; servers send, and libpq expects, the whole version.
        guard let version = payload.readInteger(as: UInt32.self), version >> 16 == 3,
            let count = payload.readInteger(as: Int32.self), count >= 0, count <= payload.readableBytes
        else { throw Self.malformed }
        minorVersion = UInt16(truncatingIfNeeded: version)
        unknownOptions = []
        for _ in 0..<count {
            guard let name = payload.readNullTerminatedString() else { throw Self.malformed }
            unknownOptions.append(name)
        }
        guard payload.readableBytes == 0 else { throw Self.malformed }
    }

    private static let malformed = WireError.protocolViolation("malformed NegotiateProtocolVersion")
}
