public import Support

/// An open group: the names in it and where they lead.
public struct SafeGroup: Sendable {
  /// The path inside the file; empty for the root.
  public let path: String
  /// The file's name, for messages.
  public var fileName: String { header.file.name }
  /// Names in it, sorted.
  public var names: [String] { links.keys.sorted() }
  /// How many names there are.
  public var count: Int { links.count }
  let header: ObjectHeader
  private let links: [String: GroupLink]

  init(_ header: ObjectHeader) throws(FileError) {
    self.header = header
    path = header.path
    links = try GroupLinks(header).links
  }

  /// Whether there is such a name.
  public func contains(_ name: String) -> Bool { links[name] != nil }

  /// The path of a name in it, for messages.
  public func path(of name: String) -> String {
    path.isEmpty ? shown(name) : path + "/" + shown(name)
  }

  /// A group in it.
  public func group(_ name: String) throws(FileError) -> SafeGroup {
    let header = try open(name)
    guard !header.has(.dataspace) else {
      throw .notRead(file: header.file.name, dataset: header.path, reason: "it must be a group")
    }
    return try SafeGroup(header)
  }

  /// A dataset in it.
  public func dataset(_ name: String) throws(FileError) -> SafeDataset {
    let header = try open(name)
    guard header.has(.dataspace) else {
      throw .notRead(file: header.file.name, dataset: header.path, reason: "it must be a dataset")
    }
    return try SafeDataset(header)
  }

  /// Whether a name, which must be there, leads to a group.
  public func isGroup(_ name: String) throws(FileError) -> Bool {
    !(try open(name).has(.dataspace))
  }

  /// Paths of all datasets below it, in the order of `names`; those that are virtual are opened.
  ///
  /// - Throws: If groups are nested more than 8 deep, if one leads back to a group that it is in,
  ///   or if they have more than 10,000 names. Links make a graph, and a small file can have any
  ///   number of paths.
  public func datasetPaths() throws(FileError) -> [String] {
    var paths: [String] = []
    var budget = SafeGroup.pathLimit
    try walk("", above: [header.address], &budget, into: &paths)
    return paths
  }

  private static let pathLimit = 10_000
  private static let depthLimit = 8

  private func walk(
    _ prefix: String, above: [Int], _ budget: inout Int, into paths: inout [String]
  ) throws(FileError) {
    for name in names {
      let header = try open(name)
      func refused(_ reason: String) -> FileError {
        .notRead(file: header.file.name, dataset: header.path, reason: reason)
      }
      budget -= 1
      guard budget >= 0 else {
        throw refused("there are more than \(SafeGroup.pathLimit) names before and below it")
      }
      guard !header.has(.dataspace) else {
        paths.append(prefix + name)
        // So that all files are known that belong to this one.
        if try header.isVirtual { _ = try SafeDataset(header) }
        continue
      }
      guard !above.contains(header.address) else {
        throw refused("it leads back to a group that it is in")
      }
      guard above.count <= SafeGroup.depthLimit else {
        throw refused("groups are nested more than \(SafeGroup.depthLimit) deep")
      }
      try SafeGroup(header).walk(
        prefix + name + "/", above: above + [header.address], &budget, into: &paths)
    }
  }

  /// Its attributes, by name.
  public func attributes() throws(FileError) -> [String: AttributeValue] {
    try AttributeValue.attributes(of: header)
  }

  private func open(_ name: String) throws(FileError) -> ObjectHeader {
    let path = path(of: name)
    guard let link = links[name] else {
      throw .notRead(file: header.file.name, dataset: path, reason: "it is missing")
    }
    let address = try header.file.address(of: link, in: header.address, path: path)
    return try ObjectHeader(header.file, at: address, path: path)
  }
}

/// Where a name of a group leads.
enum GroupLink: Sendable {
  case object(address: Int)
  /// A path, from the root if it begins with a slash, else from the group.
  case soft(String)
  /// The kind of link that is not followed, in words.
  case other(String)
}

/// The names in a group, out of whichever of three places they are kept in.
struct GroupLinks {
  private(set) var links: [String: GroupLink] = [:]
  private let file: SafeFile
  private let path: String
  /// Blocks that may still be looked at: a sound file has no more than fit.
  private var budget: Int

  init(_ header: ObjectHeader) throws(FileError) {
    file = header.file
    path = header.path
    budget = header.file.byteCount / 8 + 8
    if var table = try header.first(.symbolTable) {
      let tree = try table.neededAddress("its tree of names")
      let heap = try LocalHeap(
        file, at: try table.neededAddress("its heap of names"), path: path)
      try read(tree: tree, heap: heap, below: nil)
    }
    for var link in try header.all(.link) { try add(&link) }
    if var information = try header.first(.linkInformation) {
      try information.skip(1)
      let flags = try information.byte()
      if flags & 1 != 0 { try information.skip(8) }
      guard let heapAddress = try information.address(),
        let index = try information.address()
      else { return }
      let heap = try FractalHeap(file, at: heapAddress, path: path)
      for var record in try VersionTwoTree(file, at: index, path: path, kind: 5).records() {
        try record.skip(4)
        var link = try heap.object(&record)
        try add(&link)
      }
    }
  }

  /// Reads a link as a message has it.
  private mutating func add(_ cursor: inout ByteCursor) throws(FileError) {
    guard try cursor.byte() == 1 else { throw cursor.damaged("a link is of no known version") }
    let flags = try cursor.byte()
    let kind = flags & 8 != 0 ? try cursor.byte() : 0
    try cursor.skip((flags & 4 != 0 ? 8 : 0) + (flags & 16 != 0 ? 1 : 0))
    let name = try cursor.text(try cursor.count(1 << (flags & 3)))
    links[name] =
      switch kind {
      case 0: .object(address: try cursor.neededAddress("'\(shown(name))'"))
      case 1: .soft(try cursor.text(try cursor.short()))
      case 64: .other("a link to another file")
      default: .other("a link of kind \(kind)")
      }
  }

  /// Reads a node of a version 1 tree of names and what is below it.
  private mutating func read(
    tree address: Int, heap: LocalHeap, below level: Int?
  ) throws(FileError) {
    var cursor = try file.cursor(at: address, path: path)
    try spend(cursor)
    try cursor.signature("TREE")
    guard try cursor.byte() == 0 else { throw cursor.damaged("its tree of names is another tree") }
    let own = try cursor.byte()
    if let level, own != level - 1 { throw cursor.damaged("its tree of names has a loop") }
    let count = try cursor.short()
    try cursor.skip(2 * file.offsetSize + file.lengthSize)
    for _ in 0..<count {
      let child = try cursor.neededAddress("a node of its tree of names")
      try cursor.skip(file.lengthSize)
      if own > 0 {
        try read(tree: child, heap: heap, below: own)
      } else {
        try read(table: child, heap: heap)
      }
    }
  }

  private mutating func read(table address: Int, heap: LocalHeap) throws(FileError) {
    var cursor = try file.cursor(at: address, path: path)
    try spend(cursor)
    try cursor.signature("SNOD")
    try cursor.skip(2)
    for _ in 0..<(try cursor.short()) {
      let name = try heap.text(at: try cursor.count(file.offsetSize))
      let object = try cursor.address()
      let kind = try cursor.word()
      try cursor.skip(4)
      let offset = try cursor.word()
      try cursor.skip(12)
      if kind == 2 {
        links[name] = .soft(try heap.text(at: offset))
      } else if let object {
        links[name] = .object(address: object)
      } else {
        throw cursor.damaged("'\(shown(name))' must have an address")
      }
      try spend(cursor)
    }
  }

  private mutating func spend(_ cursor: ByteCursor) throws(FileError) {
    budget -= 1
    guard budget > 0 else { throw cursor.damaged("its tree of names has more than fits the file") }
  }
}

/// The names of an old group.
private struct LocalHeap {
  private let cursor: ByteCursor

  init(_ file: SafeFile, at address: Int, path: String) throws(FileError) {
    var head = try file.cursor(at: address, path: path)
    try head.signature("HEAP")
    try head.skip(4)
    let count = try head.length()
    try head.skip(file.lengthSize)
    var data = try file.cursor(at: try head.neededAddress("its heap of names"), path: path)
    try data.limit(to: count)
    cursor = data
  }

  func text(at offset: Int) throws(FileError) -> String {
    var place = cursor
    try place.skip(offset)
    return try place.terminatedText()
  }
}
