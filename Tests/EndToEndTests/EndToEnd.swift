import Testing

/// Real processes, real databases. One at a time: each test starts several processes of its own, and
/// two at once would only wait for each other.
@Suite(.serialized) enum EndToEnd {}
