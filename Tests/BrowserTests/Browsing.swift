import Testing

/// Real pages in a real browser. One at a time: a browser and the servers behind it keep a small machine busy.
@Suite(.serialized) enum Browsing {}
