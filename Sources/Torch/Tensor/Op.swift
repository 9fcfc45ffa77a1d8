internal import CTorch

/// An argument of an operator.
///
/// Literals stand for themselves, `nil` for an absent value.
public enum Operand: Sendable {
  /// No value.
  case none
  /// A tensor.
  case tensor(Tensor)
  /// A whole number.
  case integer(Int)
  /// A number.
  case number(Double)
  /// True or false.
  case truth(Bool)
  /// A list of whole numbers, such as a shape.
  case integers([Int])
  /// A list of tensors.
  case tensors([Tensor])
  /// A place for tensors.
  case device(Device)
  /// A word, such as the name of a variant.
  case text(String)
}

extension Operand: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
  /// A whole number.
  public init(integerLiteral value: Int) { self = .integer(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// True or false.
  public init(booleanLiteral value: Bool) { self = .truth(value) }
  /// No value.
  public init(nilLiteral: ()) { self = .none }
}

/// An operator of libtorch's, found once by name and overload: `Op("relu")`, `Op("add.Tensor")`.
///
/// Every operator of libtorch's dispatcher can be called; arguments left out take the defaults of
/// its schema. Names without `::` are of the namespace `aten`.
public struct Op: @unchecked Sendable {
  private let handle: CTorchOperator
  private let name: String

  /// Finds an operator; traps with libtorch's text if it is unknown.
  public init(_ name: String) {
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    let base = parts.first ?? name
    let qualified = base.contains("::") ? base : "aten::" + base
    guard let handle = torch.find(qualified, parts.count > 1 ? parts[1] : "") else {
      fatalError("\(TorchError.last)")
    }
    self.handle = handle
    self.name = name
  }

  /// Calls an operator that gives one tensor; traps with libtorch's text if it fails.
  @discardableResult
  public func callAsFunction(_ operands: Operand...) -> Tensor {
    do {
      let results = try results(of: operands)
      precondition(!results.isEmpty, "\(name) gives no tensor: call results(of:)")
      return results[0]
    } catch {
      fatalError("\(name): \(error)")
    }
  }

  /// Calls an operator that gives several tensors; traps with libtorch's text if it fails.
  public func several(_ operands: Operand...) -> [Tensor] {
    do { return try results(of: operands) } catch { fatalError("\(name): \(error)") }
  }

  /// Calls an operator that changes its arguments in place; traps with libtorch's text.
  public func run(_ operands: Operand...) {
    do { _ = try results(of: operands) } catch { fatalError("\(name): \(error)") }
  }

  /// Calls an operator and gives every tensor that it gave, at most `room`; throws `TorchError`.
  public func results(of operands: [Operand], room: Int = 64) throws(TorchError) -> [Tensor] {
    // Lists are laid one after the other in words that outlive the call.
    var words: [Int64] = []
    var starts: [Int] = []
    let values = operands.map { operand in
      starts.append(words.count)
      return operand.value(words: &words)
    }
    let outcome = withExtendedLifetime(operands) {
      call(values, starts: starts, words: words, room: room)
    }
    return try outcome.get()
  }

  private func call(
    _ values: [CTorchValue], starts: [Int], words: [Int64], room: Int
  ) -> Result<[Tensor], TorchError> {
    var values = values
    return words.withUnsafeBufferPointer { words in
      if let start = words.baseAddress {
        for k in values.indices { values[k].list = UnsafeRawPointer(start + starts[k]) }
      }
      return withUnsafeTemporaryAllocation(of: CTorchTensor?.self, capacity: room) { results in
        guard let start = results.baseAddress else { return .failure(TorchError("no room")) }
        let count = torch.call(handle, values, Int32(values.count), start, Int32(room))
        guard count >= 0 else { return .failure(.last) }
        return .success((0..<Int(count)).compactMap { results[$0].map(Tensor.init(owning:)) })
      }
    }
  }
}

extension Operand {
  /// The argument as C takes it; what a list holds is appended to `words`.
  fileprivate func value(words: inout [Int64]) -> CTorchValue {
    func made(_ kind: CTorchKind, count: Int = 0, bits: Int64 = 0) -> CTorchValue {
      CTorchValue(kind: kind, count: Int32(count), bits: bits, list: nil)
    }
    func bits(_ tensor: Tensor) -> Int64 { Int64(Int(bitPattern: tensor.handle)) }
    switch self {
    case .none: return made(.none)
    case .tensor(let tensor): return made(.tensor, bits: bits(tensor))
    case .integer(let number): return made(.integer, bits: Int64(number))
    case .number(let number): return made(.number, bits: Int64(bitPattern: number.bitPattern))
    case .truth(let truth): return made(.truth, bits: truth ? 1 : 0)
    case .integers(let list):
      words.append(contentsOf: list.lazy.map { Int64($0) })
      return made(.integers, count: list.count)
    case .tensors(let list):
      words.append(contentsOf: list.lazy.map { bits($0) })
      return made(.tensors, count: list.count)
    case .device(let device): return made(.device, count: append(device.description, to: &words))
    case .text(let text): return made(.text, count: append(text, to: &words))
    }
  }

  /// Appends a text's bytes, filled up to whole words; gives their number.
  private func append(_ text: String, to words: inout [Int64]) -> Int {
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: 8) {
      var word: Int64 = 0
      withUnsafeMutableBytes(of: &word) { $0.copyBytes(from: bytes[start...].prefix(8)) }
      words.append(word)
    }
    return bytes.count
  }
}
