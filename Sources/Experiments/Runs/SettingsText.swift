import Foundation
import GoalCore
import Support
import Yams

/// Settings as people write them, in YAML or JSON.
enum SettingsText {
  /// Bytes of a file of settings, at most.
  static let byteLimit = 1 << 20
  /// Values in it, at most.
  private static let valueLimit = 100_000

  /// The value that a text means; throws `ExperimentError.badSettings`.
  ///
  /// Aliases are refused, as a few of them can mean more values than there is memory for, and so
  /// are numbers that are not finite.
  static func value(_ text: String, path: String) throws -> JSONValue {
    func fault(_ reason: String) -> ExperimentError { .badSettings(path: path, reason: reason) }
    if let alias = alias(in: text) {
      throw fault("aliases are not read, found '\(alias)': write the value out")
    }
    let node: Node?
    do { node = try Yams.compose(yaml: text) } catch {
      // Its other lines are the text's own.
      let lines = "\(error)".split(separator: "\n")
      throw fault("not YAML: " + (lines.first ?? "").prefix(300))
    }
    guard let node else { throw fault("must hold a value, and is empty") }
    var left = valueLimit
    return try value(node, left: &left, fault)
  }

  private static func value(
    _ node: Node, left: inout Int, _ fault: (String) -> ExperimentError
  ) throws -> JSONValue {
    left -= 1
    guard left >= 0 else { throw fault("must have at most \(valueLimit) values") }
    switch node {
    case .mapping(let mapping):
      var object: [String: JSONValue] = [:]
      for (key, inner) in mapping {
        guard let name = key.string else { throw fault("a setting's name must be text") }
        object[name] = try value(inner, left: &left, fault)
      }
      return .object(object)
    case .sequence(let sequence):
      return .list(try sequence.map { try value($0, left: &left, fault) })
    default: break
    }
    switch node.any {
    case let value as Bool: return .truth(value)
    case let value as Int: return .integer(value)
    case let value as Double:
      guard value.isFinite else { throw fault("numbers must be finite, found \(value)") }
      return .number(value)
    case let value as String: return .text(value)
    case is NSNull: return .null
    case let value: throw fault("a value that is no setting: " + "\(value)".prefix(100))
    }
  }

  /// The first alias (`*name`) of a text that is neither in quotes nor in a comment; nil if it has
  /// none.
  static func alias(in text: String) -> String? {
    var quote: UInt8?
    var isComment = false
    var before = UInt8(ascii: "\n")
    var place = text.utf8.startIndex
    while place < text.utf8.endIndex {
      let byte = text.utf8[place]
      let next = text.utf8.index(after: place)
      let isStart = " \t\r\n[]{},:-?".utf8.contains(before)
      switch byte {
      case UInt8(ascii: "\n") where isComment: isComment = false
      case _ where isComment: break
      case UInt8(ascii: "\\") where quote == UInt8(ascii: "\""):
        // What it escapes is no end of the quote.
        if next < text.utf8.endIndex {
          place = text.utf8.index(after: next)
          continue
        }
      case _ where byte == quote:
        // Two single quotes are one that is written.
        if byte == UInt8(ascii: "'"), next < text.utf8.endIndex, text.utf8[next] == byte {
          place = text.utf8.index(after: next)
          continue
        }
        quote = nil
      case _ where quote != nil: break
      case UInt8(ascii: "'") where isStart, UInt8(ascii: "\"") where isStart: quote = byte
      case UInt8(ascii: "#") where isStart: isComment = true
      case UInt8(ascii: "*") where isStart:
        let name = text.utf8[place...].prefix(40).prefix { !" \t\r\n[]{},".utf8.contains($0) }
        if name.count > 1 { return String(decoding: name, as: UTF8.self) }
      default: break
      }
      before = byte
      place = next
    }
    return nil
  }
}
