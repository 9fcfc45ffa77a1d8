import Foundation
import GoalCore
import Support

/// Turns a valid document into one that is well-formed and hostile.
///
/// Values at its keys are replaced, removed, doubled or exchanged. A change is a function of its
/// number.
struct HostileValues {
  private var random: Xoshiro256
  /// What was done, for a report.
  private(set) var changes: [String] = []

  init(number: Int) { random = Xoshiro256(seed: UInt64(number)) }

  mutating func below(_ count: Int) -> Int { random.below(count) }

  /// What stands in the place of any value.
  private static let leaves: [JSONValue] = [
    -1, 0, 1, 2, .integer(1 << 31), .integer(1 << 31 - 1), .integer(-1 << 31), .integer(1 << 32),
    .integer(1 << 40), .integer(1 << 53), .integer(.max), .integer(.min), .integer(1 << 28),
    .number(1e308), .number(-1e308), .number(1e-308), .number(0.5), .number(1e19), "nan", "inf",
    "", "0-4294967295", "0", "../../../etc/passwd",
    .text(String(repeating: "long ", count: 20_000)),
    .null, .list([]), .object([:]), true, false, .list([0]), .list([-1, .integer(.max)]),
    .object(["x": 1]), (0..<100).reduce(JSONValue.null) { inner, _ in .list([inner]) },
  ]

  /// The document with one to three changes below its top.
  mutating func changed(_ document: JSONValue) -> Document {
    var document = Document(document)
    for _ in 0...[0, 0, 1, 2][below(4)] {
      let paths = document.paths
      guard !paths.isEmpty else { break }
      change(&document, at: paths[below(paths.count)], like: paths)
    }
    return document
  }

  private mutating func change(
    _ document: inout Document, at path: [Int], like paths: [[Int]]
  ) {
    let name = document.name(of: path)
    switch below(10) {
    case 0:
      changes.append("\(name) removed")
      document.change(path) { $0.remove(at: $1) }
    case 1:
      changes.append("\(name) doubled")
      document.change(path) { $0.insert($0[$1], at: $1) }
    case 2:
      let other = paths[below(paths.count)]
      changes.append("\(name) = that of \(document.name(of: other))")
      guard let value = document.value(at: other) else { return }
      document.change(path) { $0[$1].value = value }
    case 3:
      let count = [10, 1_000][below(2)]
      changes.append("\(name) \(count) times")
      document.change(path) { items, place in
        items.insert(contentsOf: Array(repeating: items[place], count: count), at: place)
      }
    case 4:
      let step = [-1, 1, 1_000][below(3)]
      changes.append("\(name) + \(step)")
      document.change(path) { items, place in
        switch items[place].value {
        case .leaf(.integer(let value)): items[place].value = .leaf(.integer(value &+ step))
        case .leaf(.number(let value)): items[place].value = .leaf(.number(value + Double(step)))
        default: items[place].value = .leaf(.integer(step))
        }
      }
    default:
      let leaf = HostileValues.leaves[below(HostileValues.leaves.count)]
      changes.append("\(name) = \(leaf.description.prefix(40))")
      document.change(path) { $0[$1].value = Document(leaf).root }
    }
  }
}

/// A document whose objects may have a key twice.
struct Document {
  struct Item {
    var key: String?
    var value: Node
  }

  indirect enum Node {
    case leaf(JSONValue)
    case items([Item], isObject: Bool)
  }

  var root: Node

  init(_ value: JSONValue) {
    switch value {
    case .object(let values):
      root = .items(
        values.sorted { $0.key < $1.key }.map { Item(key: $0, value: Document($1).root) },
        isObject: true)
    case .list(let values):
      root = .items(values.map { Item(key: nil, value: Document($0).root) }, isObject: false)
    default: root = .leaf(value)
    }
  }

  /// The way to every value below the top, as places.
  var paths: [[Int]] {
    var found: [[Int]] = []
    func walk(_ node: Node, _ path: [Int]) {
      guard case .items(let items, _) = node, path.count < 20 else { return }
      // Of a long list the first ones stand for all.
      for (place, item) in items.prefix(40).enumerated() {
        found.append(path + [place])
        walk(item.value, path + [place])
      }
    }
    walk(root, [])
    return found
  }

  func value(at path: [Int]) -> Node? {
    path.reduce(Optional(root)) { node, place in
      guard case .items(let items, _)? = node, place < items.count else { return nil }
      return items[place].value
    }
  }

  /// The keys of a path.
  func name(of path: [Int]) -> String {
    var (node, names) = (root, [String]())
    for place in path {
      guard case .items(let items, _) = node, place < items.count else { break }
      names.append(items[place].key ?? "\(place)")
      node = items[place].value
    }
    return names.joined(separator: ".")
  }

  /// Changes the items among which a path's value stands.
  mutating func change(_ path: [Int], _ body: (inout [Item], Int) -> Void) {
    func changed(_ node: Node, _ path: ArraySlice<Int>) -> Node {
      guard case .items(var items, let isObject) = node, let place = path.first,
        place < items.count
      else { return node }
      if path.count == 1 {
        body(&items, place)
        // What moved from an object into a list, or back, has a key there or none.
        for k in items.indices { items[k].key = isObject ? items[k].key ?? "x" : nil }
      } else {
        items[place].value = changed(items[place].value, path.dropFirst())
      }
      return .items(items, isObject: isObject)
    }
    root = changed(root, path[...])
  }

  /// As JSON.
  var text: String {
    func text(_ node: Node) -> String {
      switch node {
      case .leaf(let value): return Document.text(value)
      case .items(let items, let isObject):
        let parts = items.map { item in
          (item.key.map { Document.text(.text($0)) + ":" } ?? "") + text(item.value)
        }
        return (isObject ? "{" : "[") + parts.joined(separator: ",") + (isObject ? "}" : "]")
      }
    }
    return text(root)
  }

  private static func text(_ value: JSONValue) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
  }
}
