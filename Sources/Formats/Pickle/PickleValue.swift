import Storage

/// Bytes or text inside a pickle: where they lie, not what they are.
struct PickleSpan: Equatable {
  /// Where they begin in the file.
  let offset: Int
  /// How many there are in the file.
  let count: Int
  /// Whether they are a Latin-1 text's bytes written as UTF-8, as protocol 2 has bytes.
  var isEncoded = false
}

/// The only names that a pickle may call.
enum PickleGlobal: String, CaseIterable {
  case reconstruct = "multiarray _reconstruct"
  case scalar = "multiarray scalar"
  case fromBuffer = "numeric _frombuffer"
  case array = "ndarray"
  case dtype = "dtype"
  case encode = "_codecs encode"

  /// The name of a module and an attribute, in numpy 1 or 2; nil for other names.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"):
      self = .reconstruct
    case ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"): self = .scalar
    case ("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer"):
      self = .fromBuffer
    case ("numpy", "ndarray"): self = .array
    case ("numpy", "dtype"): self = .dtype
    case ("_codecs", "encode"): self = .encode
    default: return nil
    }
  }
}

/// A dtype in the making.
final class PickleType {
  /// numpy's code without the byte order, such as `f8`.
  let code: String
  var isBigEndian = false

  init(code: String) { self.code = code }

  var type: NumpyType { NumpyType((isBigEndian ? ">" : "") + code) }
}

/// An array in the making.
final class PickleArray {
  struct Contents {
    let shape: [Int]
    let type: PickleType
    let isFortran: Bool
    let bytes: PickleSpan
  }

  /// Nil until the array is built.
  var contents: Contents?
}

/// A dictionary; of what is in dictionaries inside it, only the kind is kept.
final class PickleDictionary {
  var entries: [(key: String, value: PickleValue)] = []
  /// Keys that are no short texts.
  var unnamed = 0
}

/// A list; its dictionaries are kept, and what else is in it is counted.
final class PickleList {
  var dictionaries: [PickleDictionary] = []
  var others = 0
}

/// A value on the machine's stack.
enum PickleValue {
  case mark
  case none
  case truth(Bool)
  case integer(Int)
  case text(PickleSpan)
  case bytes(PickleSpan)
  case tuple([PickleValue], depth: Int)
  case dictionary(PickleDictionary)
  case list(PickleList)
  case global(PickleGlobal)
  case type(PickleType)
  case array(PickleArray)
  /// A thing that nothing here needs, by its kind.
  case other(String)

  /// Its kind, for messages.
  var kind: String {
    switch self {
    case .mark: "a mark"
    case .none: "None"
    case .truth: "a truth value"
    case .integer: "an integer"
    case .text: "a text"
    case .bytes: "bytes"
    case .tuple: "a tuple"
    case .dictionary: "a dictionary"
    case .list: "a list"
    case .global(let global): "the name \(global.rawValue)"
    case .type: "a dtype"
    case .array: "an array"
    case .other(let kind): kind
    }
  }
}
