import Foundation
import Storage
import Support

/// Reads the two kinds of pickle that trajectories come in: a dictionary of numpy arrays, or a list
/// of such.
///
/// A machine of 43 of Python's operations and six names (protocols 2 to 5, modules of numpy 1 and
/// 2). It calls nothing: a name leads to a case of an enumeration, and any other name or operation
/// is an error with its place. Arrays are not read but located: the machine keeps where their bytes
/// lie, so its memory does not grow with the arrays. Lists and dictionaries inside a dictionary,
/// and what else than dictionaries is in a list, are counted as things and not kept; nothing can
/// nest deeper than `depthLimit`.
///
/// Source: Python's `Lib/pickletools.py`, which documents each operation.
struct PickleReader {
  static let depthLimit = 8
  static let stackLimit = 10_000
  static let memoLimit = 2_000_000
  static let operationLimit = 2_000_000
  static let textLimit = 1_000

  private let bytes: UnsafeRawBufferPointer
  private let path: String
  private var position = 0
  /// Where the operation in hand stands.
  private var place = 0
  var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]

  /// Runs the machine over a file's bytes.
  ///
  /// - Throws: `malformed` or `cannotConvert`, with the place in bytes.
  static func dictionary(
    in bytes: UnsafeRawBufferPointer, path: String
  ) throws(FileError) -> PickleDictionary {
    var reader = PickleReader(bytes: bytes, path: path)
    let value = try reader.run()
    guard case .dictionary(let dictionary) = value else {
      throw .cannotConvert(
        path, reason: "the pickle must hold a dictionary of arrays, found \(value.kind)")
    }
    return dictionary
  }

  /// Runs the machine over a file's bytes, which hold a list of dictionaries; throws as the other
  /// does.
  static func dictionaries(
    in bytes: UnsafeRawBufferPointer, path: String
  ) throws(FileError) -> PickleList {
    var reader = PickleReader(bytes: bytes, path: path)
    let value = try reader.run()
    guard case .list(let list) = value, !list.dictionaries.isEmpty else {
      throw .cannotConvert(
        path, reason: "the pickle must hold a list of dictionaries of arrays, found \(value.kind)")
    }
    return list
  }

  /// Whether a pickle of protocol 2 on begins with a list, judged by its first bytes.
  static func beginsWithList(_ bytes: [UInt8]) -> Bool {
    let place = bytes.count > 2 && bytes[2] == PickleOpcode.frame.rawValue ? 11 : 2
    return bytes.count > place && bytes[place] == PickleOpcode.emptyList.rawValue
  }

  private init(bytes: UnsafeRawBufferPointer, path: String) {
    self.bytes = bytes
    self.path = path
  }

  private mutating func run() throws(FileError) -> PickleValue {
    for _ in 0..<PickleReader.operationLimit {
      place = position
      let code = try byte()
      guard let operation = PickleOpcode(rawValue: code) else {
        throw refused("the operation \(PickleOpcode.name(code))")
      }
      if place == 0, operation != .proto {
        throw fault("must begin with a protocol from 2 to 5", "the byte \(code)")
      }
      if operation == .stop { return try pop() }
      try perform(operation)
      guard stack.count <= PickleReader.stackLimit, memo.count <= PickleReader.memoLimit else {
        throw fault("must hold at most \(PickleReader.stackLimit) things at once", "more")
      }
    }
    throw fault("must have at most \(PickleReader.operationLimit) operations", "more")
  }

  private mutating func perform(_ operation: PickleOpcode) throws(FileError) {
    switch operation {
    case .proto:
      let version = try byte()
      guard (2...5).contains(version) else {
        throw fault("must be of protocol 2 to 5", "\(version)")
      }
    case .frame: _ = try span(count: try length(8), consume: false)
    case .stop: break
    case .none: stack.append(.none)
    case .newTrue: stack.append(.truth(true))
    case .newFalse: stack.append(.truth(false))
    case .binInt: stack.append(.integer(Int(Int32(truncatingIfNeeded: try unsigned(4)))))
    case .binInt1: stack.append(.integer(Int(try unsigned(1))))
    case .binInt2: stack.append(.integer(Int(try unsigned(2))))
    case .long1: stack.append(.integer(try long()))
    case .binFloat:
      _ = try unsigned(8)
      stack.append(.other("a float"))
    case .binUnicode: stack.append(.text(try span(count: try length(4))))
    case .shortBinUnicode: stack.append(.text(try span(count: try length(1))))
    case .binUnicode8: stack.append(.text(try span(count: try length(8))))
    case .binBytes, .binString: stack.append(.bytes(try span(count: try length(4))))
    case .shortBinBytes, .shortBinString: stack.append(.bytes(try span(count: try length(1))))
    case .binBytes8, .byteArray8: stack.append(.bytes(try span(count: try length(8))))
    case .emptyDict: stack.append(.dictionary(PickleDictionary()))
    case .emptyList: stack.append(.list(PickleList()))
    case .emptyTuple: stack.append(.tuple([], depth: 1))
    case .mark:
      marks.append(stack.count)
      stack.append(.mark)
    case .pop: _ = try pop()
    case .popMark: _ = try popMark()
    case .tuple: try pushTuple(try popMark())
    case .tuple1: try pushTuple(try pop(1))
    case .tuple2: try pushTuple(try pop(2))
    case .tuple3: try pushTuple(try pop(3))
    case .append:
      let item = try pop()
      append([item])
    case .appends:
      let items = try popMark()
      append(items)
    case .setItem: try setItems(try pop(2))
    case .setItems: try setItems(try popMark())
    case .binPut: try remember(Int(try unsigned(1)))
    case .longBinPut: try remember(Int(try unsigned(4)))
    case .memoize: try remember(memo.count)
    case .binGet: try recall(Int(try unsigned(1)))
    case .longBinGet: try recall(Int(try unsigned(4)))
    case .global:
      let module = try line()
      try pushGlobal(module, try line())
    case .stackGlobal:
      let names = try pop(2)
      guard let module = word(names[0]), let name = word(names[1]) else {
        throw fault(
          "must have two names for STACK_GLOBAL", names.map(\.kind).joined(separator: ", "))
      }
      try pushGlobal(module, name)
    case .reduce:
      let parts = try pop(2)
      guard case .global(let global) = parts[0], case .tuple(let arguments, _) = parts[1] else {
        throw fault("may call names only", parts[0].kind)
      }
      stack.append(try call(global, arguments))
    case .build:
      let state = try pop()
      guard case .tuple(let parts, _) = state else {
        throw fault("must BUILD with a tuple", state.kind)
      }
      try build(parts)
    }
  }

  // MARK: - The machine

  /// Adds things to the list on the stack.
  private func append(_ items: [PickleValue]) {
    guard case .list(let list) = stack.last else { return }
    for item in items {
      if case .dictionary(let dictionary) = item {
        list.dictionaries.append(dictionary)
      } else {
        list.others += 1
      }
    }
  }

  private mutating func setItems(_ items: [PickleValue]) throws(FileError) {
    guard case .dictionary(let dictionary) = stack.last else {
      throw fault("must set items of a dictionary", stack.last?.kind ?? "nothing")
    }
    guard items.count % 2 == 0 else { throw fault("must set keys and values", "a key alone") }
    for place in stride(from: 0, to: items.count, by: 2) {
      guard let key = word(items[place]) else {
        dictionary.unnamed += 1
        continue
      }
      guard dictionary.entries.count < 100 else {
        throw fault("must have at most 100 keys", "more")
      }
      var value = items[place + 1]
      if case .dictionary = value { value = .other("a dictionary") }
      if case .tuple = value { value = .other("a tuple") }
      if case .list = value { value = .other("a list") }
      if let known = dictionary.entries.firstIndex(where: { $0.key == key }) {
        dictionary.entries[known].value = value
      } else {
        dictionary.entries.append((key, value))
      }
    }
  }

  private mutating func pushTuple(_ members: [PickleValue]) throws(FileError) {
    var depth = 1
    for case .tuple(_, let inner) in members { depth = max(depth, inner + 1) }
    guard depth <= PickleReader.depthLimit else {
      throw fault("must nest tuples at most \(PickleReader.depthLimit) deep", "more")
    }
    stack.append(.tuple(members, depth: depth))
  }

  private mutating func pop() throws(FileError) -> PickleValue {
    guard let value = stack.popLast() else { throw fault("must have a value to take", "none") }
    if case .mark = value { throw fault("must have a value to take", "a mark") }
    return value
  }

  private mutating func pop(_ count: Int) throws(FileError) -> [PickleValue] {
    var values: [PickleValue] = []
    for _ in 0..<count { values.append(try pop()) }
    return values.reversed()
  }

  private mutating func popMark() throws(FileError) -> [PickleValue] {
    guard let mark = marks.popLast(), mark < stack.count, case .mark = stack[mark] else {
      throw fault("must have a mark", "none")
    }
    let values = Array(stack[(mark + 1)...])
    stack.removeSubrange(mark...)
    return values
  }

  private mutating func remember(_ number: Int) throws(FileError) {
    guard let value = stack.last else { throw fault("must have a value to remember", "none") }
    if case .mark = value { throw fault("must have a value to remember", "a mark") }
    memo[number] = value
  }

  private mutating func recall(_ number: Int) throws(FileError) {
    guard let value = memo[number] else {
      throw fault("may recall only what was remembered", "number \(number)")
    }
    stack.append(value)
  }

  // MARK: - Bytes

  private mutating func byte() throws(FileError) -> UInt8 {
    guard position < bytes.count else { throw fault("must end with STOP", "the file's end") }
    position += 1
    return bytes[position - 1]
  }

  private mutating func unsigned(_ count: Int) throws(FileError) -> UInt64 {
    let place = try span(count: count)
    return (0..<count).reduce(0) { $0 | UInt64(bytes[place.offset + $1]) << (8 * UInt64($1)) }
  }

  private mutating func length(_ count: Int) throws(FileError) -> Int {
    let value = try unsigned(count)
    guard let length = Int(exactly: value) else {
      throw fault("must have lengths below 2^63", "\(value)")
    }
    return length
  }

  private mutating func long() throws(FileError) -> Int {
    let count = Int(try unsigned(1))
    guard count <= 8 else { throw fault("must have integers of at most 8 bytes", "\(count)") }
    if count == 0 { return 0 }
    let shift = UInt64(64 - 8 * count)
    return Int(Int64(bitPattern: try unsigned(count) << shift) >> Int64(shift))
  }

  private mutating func span(count: Int, consume: Bool = true) throws(FileError) -> PickleSpan {
    guard count <= bytes.count - position else {
      throw fault(
        "must have \(count) bytes there", "\(bytes.count - position) before the file's end")
    }
    let span = PickleSpan(offset: position, count: count)
    if consume { position += count }
    return span
  }

  /// A name up to the end of its line.
  private mutating func line() throws(FileError) -> String {
    let rest = bytes[position...].prefix(PickleReader.textLimit)
    guard let end = rest.firstIndex(of: 0x0a) else {
      throw fault("must have the end of a name", "none")
    }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }

  /// A short text or short bytes as a string.
  func word(_ value: PickleValue) -> String? {
    switch value {
    case .text(let span), .bytes(let span):
      guard span.count <= PickleReader.textLimit else { return nil }
      return String(decoding: bytes[span.offset..<(span.offset + span.count)], as: UTF8.self)
    default: return nil
    }
  }

  func fault(_ rule: String, _ found: String) -> FileError {
    .malformed(path, rule: "the pickle \(rule) at byte \(place)", found: found)
  }

  func refused(_ what: String) -> FileError {
    .cannotConvert(
      path,
      reason: "the pickle has \(what) at byte \(place), which is none of those that are read; "
        + "nothing of it was run")
  }
}
