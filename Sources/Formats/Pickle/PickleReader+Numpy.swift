import Storage
import Support

/// The functions behind the six names of a pickle.
extension PickleReader {
  mutating func call(
    _ global: PickleGlobal, _ arguments: [PickleValue]
  ) throws(FileError) -> PickleValue {
    switch global {
    case .reconstruct: return .array(PickleArray())
    case .scalar: return .other("a numpy scalar")
    case .dtype:
      guard let first = arguments.first, let code = word(first) else {
        throw fault("must make a dtype of a text", arguments.first?.kind ?? "nothing")
      }
      let type = PickleType(code: String(code.drop { "<|=>".contains($0) }))
      type.isBigEndian = code.hasPrefix(">")
      return .type(type)
    case .encode:
      guard arguments.count == 2, case .text(var span) = arguments[0],
        let encoding = word(arguments[1]), ["latin1", "latin-1"].contains(encoding)
      else { throw fault("may encode texts as latin1 only", "another call of _codecs.encode") }
      span.isEncoded = true
      return .bytes(span)
    case .fromBuffer:
      guard arguments.count == 4, case .bytes(let span) = arguments[0],
        case .type(let type) = arguments[1], let order = word(arguments[3])
      else { throw fault("must make an array of bytes, dtype, shape and order", "another call") }
      let array = PickleArray()
      array.contents = PickleArray.Contents(
        shape: try shape(arguments[2]), type: type, isFortran: order == "F", bytes: span)
      return .array(array)
    case .array: throw refused("calling numpy.ndarray")
    }
  }

  /// Gives the thing on the stack its state: a dtype its byte order, an array its contents.
  mutating func build(_ state: [PickleValue]) throws(FileError) {
    switch stack.last {
    case .type(let type):
      guard state.count >= 2, let order = word(state[1]) else {
        throw fault("must give a dtype its byte order", "another state")
      }
      type.isBigEndian = order == ">"
    case .array(let array):
      guard state.count == 5, case .type(let type) = state[2], case .truth(let isFortran) = state[3]
      else {
        throw fault("must give an array (version, shape, dtype, order, bytes)", "another state")
      }
      guard case .bytes(let span) = state[4] else {
        throw refused("an array whose elements are objects (\(state[4].kind))")
      }
      array.contents = PickleArray.Contents(
        shape: try shape(state[1]), type: type, isFortran: isFortran, bytes: span)
    case let other:
      throw refused("BUILD on \(other?.kind ?? "nothing")")
    }
  }

  private func shape(_ value: PickleValue) throws(FileError) -> [Int] {
    guard case .tuple(let axes, _) = value, axes.count <= 32 else {
      throw fault("must have a shape of at most 32 axes", value.kind)
    }
    var shape: [Int] = []
    for axis in axes {
      guard case .integer(let length) = axis, length >= 0 else {
        throw fault("must have lengths of axes that are integers from 0", axis.kind)
      }
      shape.append(length)
    }
    return shape
  }

  mutating func pushGlobal(_ module: String, _ name: String) throws(FileError) {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw refused("the name '\(shown(module)).\(shown(name))'")
    }
    stack.append(.global(global))
  }
}
