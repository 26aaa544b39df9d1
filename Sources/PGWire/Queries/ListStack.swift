/// The lists that a canonical text is inside of: `IN ( item , item )`, whose items stand at the list's depth, and
/// `VALUES ( … ) , ( … )`, whose rows begin at it. An item that equals its left neighbour is taken back.
///
/// It lives in memory that its owner lends it.
struct ListStack {
    struct List {
        var depth: Int
        /// Rows of VALUES.
        var hasRows: Bool
        /// Where the item at hand begins in the canonical text; for the first row, where it has to.
        var item: Int
        /// An item has begun and not ended.
        var isOpen: Bool
        /// The item before it.
        var previous: Range<Int>?
    }

    /// Deeper lists are written out in full.
    static let limit = 16
    private let lists: UnsafeMutablePointer<List>
    private var size = 0

    /// - Parameter memory: initialized, for `limit` lists.
    init(memory: UnsafeMutablePointer<List>) {
        lists = memory
    }

    static func allocate() -> UnsafeMutablePointer<List> {
        let memory = UnsafeMutablePointer<List>.allocate(capacity: limit)
        memory.initialize(
            repeating: List(depth: 0, hasRows: false, item: 0, isOpen: false, previous: nil), count: limit)
        return memory
    }

    @inline(__always)
    var isEmpty: Bool { size == 0 }

    @inline(__always)
    private var last: List? { size == 0 ? nil : lists[size - 1] }

    @inline(__always)
    mutating func removeAll() {
        size = 0
    }

    private mutating func append(_ list: List) {
        guard size < Self.limit else { return }
        lists[size] = list
        size += 1
    }

    /// A list whose items stand at this depth begins.
    mutating func push(depth: Int, offset: Int) {
        append(List(depth: depth, hasRows: false, item: offset, isOpen: true, previous: nil))
    }

    /// - Parameter offset: where the first row has to begin.
    mutating func expectRows(at depth: Int, offset: Int) {
        append(List(depth: depth, hasRows: true, item: offset, isOpen: false, previous: nil))
    }

    /// What looked like a list is a query in parentheses.
    mutating func notAList(at depth: Int) {
        guard let last, !last.hasRows, last.depth == depth else { return }
        size -= 1
    }

    mutating func removeLists(deeperThan depth: Int) {
        while let last, last.depth > depth { size -= 1 }
    }

    // MARK: Items of IN

    @inline(__always)
    mutating func beginItem(at depth: Int, offset: Int) {
        guard size > 0, let last, !last.hasRows, last.depth == depth else { return }
        lists[size - 1].item = offset
    }

    @inline(__always)
    mutating func endItem(at depth: Int, in bytes: UnsafePointer<UInt8>, count: inout Int) {
        guard size > 0, let last, !last.hasRows, last.depth == depth else { return }
        close(last.item..<count, in: bytes, count: &count)
    }

    // MARK: Rows of VALUES

    /// A parenthesis opens. It is a row only if nothing but a comma keeps it from the last one: in `values(a).b, (a)`
    /// something else does.
    mutating func beginRow(at depth: Int, offset: Int, in bytes: UnsafePointer<UInt8>) {
        guard let last, last.hasRows, last.depth == depth else { return }
        let isRow =
            last.previous.map { $0.upperBound + 2 == offset && bytes[offset - 2] == UInt8(ascii: ",") }
            ?? (last.item == offset)
        guard isRow else {
            size -= 1
            return
        }
        lists[size - 1].item = offset
        lists[size - 1].isOpen = true
    }

    mutating func endRow(at depth: Int, in bytes: UnsafePointer<UInt8>, count: inout Int) {
        guard let last, last.hasRows, last.depth == depth, last.isOpen else { return }
        lists[size - 1].isOpen = false
        close(last.item..<count, in: bytes, count: &count)
    }

    /// Something else than a row or a comma stands at the depth of the rows: they are over.
    @inline(__always)
    mutating func endRows(at depth: Int) {
        guard size > 0 else { return }
        while let last, last.hasRows, last.depth == depth { size -= 1 }
    }

    private mutating func close(_ item: Range<Int>, in bytes: UnsafePointer<UInt8>, count: inout Int) {
        let top = size - 1
        if let previous = lists[top].previous, Self.isSame(previous, item, in: bytes) {
            count = previous.upperBound
        } else {
            lists[top].previous = item
        }
    }

    private static func isSame(_ left: Range<Int>, _ right: Range<Int>, in bytes: UnsafePointer<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count
        where bytes[left.lowerBound + index] != bytes[right.lowerBound + index] { return false }
        return true
    }
}
