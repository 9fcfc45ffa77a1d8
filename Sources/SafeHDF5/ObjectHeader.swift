import Support

/// The header of a group or a dataset: its messages, where they lie.
struct ObjectHeader: Sendable {
  /// Kinds of messages that are looked at.
  enum Kind: Int, Sendable {
    case dataspace = 1
    case linkInformation = 2
    case datatype = 3
    case oldFillValue = 4
    case fillValue = 5
    case link = 6
    case external = 7
    case layout = 8
    case filters = 11
    case attribute = 12
    case continuation = 16
    case symbolTable = 17
    case attributeInformation = 21
  }

  private struct Message {
    let kind: Kind
    let isShared: Bool
    let position: Int
    let count: Int
  }

  /// The maximum number of messages that are read; the library writes some 20, and one for each
  /// attribute.
  private static let limit = 65_536

  let file: SafeFile
  let address: Int
  let path: String
  private let messages: [Message]

  init(_ file: SafeFile, at address: Int, path: String) throws(FileError) {
    self.file = file
    self.address = address
    self.path = path
    var cursor = try file.cursor(at: address, path: path)
    var messages: [Message] = []
    var blocks: [(address: Int, count: Int)] = []
    var budget = file.byteCount
    var seen = 0
    let start = cursor.position
    let isOld = try cursor.byte() == 1
    var hasOrder = false
    if isOld {
      try cursor.skip(7)
      let count = try cursor.word()
      try cursor.skip(4)
      try cursor.limit(to: count)
    } else {
      cursor.position = start
      try cursor.signature("OHDR")
      guard try cursor.byte() == 2 else {
        throw cursor.damaged("its header is of no known version")
      }
      let flags = try cursor.byte()
      hasOrder = flags & 4 != 0
      try cursor.skip((flags & 32 != 0 ? 16 : 0) + (flags & 16 != 0 ? 4 : 0))
      let count = try cursor.count(1 << (flags & 3))
      var after = cursor
      try after.skip(count)
      try after.checkSum(from: start)
      try cursor.limit(to: count)
    }
    while true {
      let prefix = isOld ? 8 : hasOrder ? 6 : 4
      while cursor.left >= prefix {
        let kind = isOld ? try cursor.short() : try cursor.byte()
        let count = try cursor.short()
        let flags = try cursor.byte()
        try cursor.skip(isOld ? 3 : hasOrder ? 2 : 0)
        let position = cursor.position
        try cursor.skip(count)
        seen += 1
        guard seen <= ObjectHeader.limit else {
          throw cursor.damaged("its header has more than \(ObjectHeader.limit) messages")
        }
        guard let kind = Kind(rawValue: kind) else { continue }
        if kind == .continuation {
          var inner = cursor
          inner.position = position
          blocks.append((try inner.neededAddress("a continuation"), try inner.length()))
        } else {
          messages.append(
            Message(kind: kind, isShared: flags & 2 != 0, position: position, count: count))
        }
      }
      guard let next = blocks.popLast() else { break }
      budget -= max(next.count, 16)
      guard budget > 0 else { throw cursor.damaged("its header goes on for ever") }
      cursor = try file.cursor(at: next.address, path: path)
      if isOld {
        try cursor.limit(to: next.count)
      } else {
        let start = cursor.position
        guard next.count >= 8 else {
          throw cursor.damaged("a continuation has \(next.count) bytes")
        }
        var after = cursor
        try after.skip(next.count - 4)
        try after.checkSum(from: start)
        try cursor.limit(to: next.count - 4)
        try cursor.signature("OCHK")
      }
    }
    self.messages = messages
  }

  /// How many messages are known.
  var count: Int { messages.count }

  /// Whether it is of a virtual dataset.
  var isVirtual: Bool {
    get throws(FileError) {
      guard var layout = try first(.layout) else { return false }
      let version = try layout.byte()
      let storage = try layout.byte()
      return version > 2 && storage == 3
    }
  }

  /// Whether there is a message of a kind.
  func has(_ kind: Kind) -> Bool { messages.contains { $0.kind == kind } }

  /// A cursor over the first message of a kind, or nil.
  func first(_ kind: Kind) throws(FileError) -> ByteCursor? {
    guard let message = messages.first(where: { $0.kind == kind }) else { return nil }
    return try cursor(message)
  }

  /// Cursors over all messages of a kind.
  func all(_ kind: Kind) throws(FileError) -> [ByteCursor] {
    var cursors: [ByteCursor] = []
    for message in messages where message.kind == kind { cursors.append(try cursor(message)) }
    return cursors
  }

  private func cursor(_ message: Message) throws(FileError) -> ByteCursor {
    var cursor = try file.cursor(at: 0, path: path)
    if message.isShared { throw cursor.notRead("part of its description is shared with others") }
    cursor.position = message.position
    try cursor.limit(to: message.count)
    return cursor
  }
}
