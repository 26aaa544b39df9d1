import NIOSSL

/// TLS on both sides, from files.
enum TLSContexts {
    static func server(_ tls: GuardSettings.ClientTLS) throws -> NIOSSLContext? {
        guard case .files(let certificate, let key, _) = tls else { return nil }
        let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        return try NIOSSLContext(configuration: configuration)
    }

    static func client(_ target: Target) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        switch target.tls {
        case .disable, .prefer, .require:
            configuration.certificateVerification = target.rootCertificate == nil ? .none : .noHostnameVerification
        case .verifyCA: configuration.certificateVerification = .noHostnameVerification
        case .verifyFull: configuration.certificateVerification = .fullVerification
        }
        if let root = target.rootCertificate { configuration.trustRoots = .file(root) }
        return try NIOSSLContext(configuration: configuration)
    }
}
