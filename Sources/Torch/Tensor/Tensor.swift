internal import CTorch

/// A tensor of libtorch's: a value that refers to memory which is freed with its last copy.
///
/// Operators give new tensors. The few functions that change one in place say so, and the change is
/// seen through every copy. A tensor may be sent to another thread; two threads must not change one
/// at the same time.
public struct Tensor: @unchecked Sendable {
  private final class Reference {
    let handle: CTorchTensor
    init(_ handle: CTorchTensor) { self.handle = handle }
    deinit { torch.release(handle) }
  }

  private let reference: Reference

  /// Takes over one reference.
  init(owning handle: CTorchTensor) { reference = Reference(handle) }

  /// The handle, valid as long as this value lives.
  var handle: CTorchTensor { reference.handle }

  /// Makes a tensor on this thread's device with a copy of `values`, in row-major order.
  public init<Element: TensorElement>(_ values: [Element], shape: [Int]) {
    precondition(
      values.count == shape.reduce(1, *), "\(values.count) values for the shape \(shape)")
    self = values.withUnsafeBytes { bytes in
      Tensor(bytes: bytes.baseAddress, shape: shape, type: Element.elementType)
    }
  }

  /// Makes a tensor without dimensions.
  public init<Element: TensorElement>(_ value: Element) { self.init([value], shape: []) }

  /// Makes a tensor of `Float` on this thread's device, whose values `fill` writes; it must write
  /// all of them.
  public init(shape: [Int], filledBy fill: (UnsafeMutableBufferPointer<Float>) -> Void) {
    guard TorchRuntime.device == .cpu else {
      let count = shape.reduce(1, *)
      let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
        fill(buffer.extracting(0..<count))
        initialized = count
      }
      self.init(values, shape: shape)
      return
    }
    self.init(bytes: nil, shape: shape, type: .float32)
    let memory = torch.data(handle)?.assumingMemoryBound(to: Float.self)
    fill(.init(start: memory, count: memory == nil ? 0 : shape.reduce(1, *)))
  }

  /// Makes a tensor of zeros on this thread's device.
  public static func zeros(_ shape: [Int], _ type: ElementType = .float32) -> Tensor {
    Operators.zeros(
      .integers(shape), .integer(Int(type.rawValue)), nil, .device(TorchRuntime.device))
  }

  /// Copies bytes; nil leaves the contents arbitrary.
  init(bytes: UnsafeRawPointer?, shape: [Int], type: ElementType) {
    let made = withUnsafeTemporaryAllocation(of: Int64.self, capacity: max(1, shape.count)) {
      sizes -> CTorchTensor? in
      for (k, size) in shape.enumerated() { sizes[k] = Int64(size) }
      guard let start = sizes.baseAddress else { return nil }
      return torch.make(bytes, start, Int32(shape.count), type.rawValue)
    }
    guard let made else { fatalError("\(TorchError.last), for the shape \(shape)") }
    self.init(owning: made)
  }

  /// The result of a network that is one operator, called with the handles of its parameters.
  static func recorded(
    _ parameters: [Tensor], _ body: (UnsafePointer<CTorchTensor>) -> CTorchTensor?
  ) -> Tensor {
    let made = withExtendedLifetime(parameters) {
      parameters.map(\.handle).withUnsafeBufferPointer { $0.baseAddress.flatMap(body) }
    }
    guard let made else { fatalError("\(TorchError.last)") }
    return Tensor(owning: made)
  }

  /// The length of each dimension.
  public var shape: [Int] {
    let dimensions = Int(torch.shape(handle, nil))
    return withUnsafeTemporaryAllocation(of: Int64.self, capacity: max(1, dimensions)) { sizes in
      _ = torch.shape(handle, sizes.baseAddress)
      return (0..<dimensions).map { Int(sizes[$0]) }
    }
  }

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// The type of the elements; traps for types that the field does not use.
  public var elementType: ElementType {
    let type = torch.type(handle)
    guard let known = ElementType(rawValue: type) else {
      fatalError("a tensor of libtorch's type \(type), which has no name here")
    }
    return known
  }

  /// A copy of the values in row-major order; traps if the elements are of another type.
  public func values<Element: TensorElement>(as type: Element.Type = Element.self) -> [Element] {
    precondition(
      elementType == Element.elementType, "elements are \(elementType), not \(Element.elementType)")
    let count = count
    return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      read(into: UnsafeMutableRawBufferPointer(buffer.extracting(0..<count)))
      initialized = count
    }
  }

  /// The values as `Float`.
  public var floats: [Float] { values() }

  /// The only value of a tensor of one `Float`.
  public var float: Float {
    precondition(count == 1, "one value is asked of the shape \(shape)")
    var value: Float = 0
    withUnsafeMutableBytes(of: &value) { read(into: $0) }
    return value
  }

  /// Copies the values, whose bytes must be as many as the buffer's.
  func read(into bytes: UnsafeMutableRawBufferPointer) {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
    guard torch.read(handle, start, bytes.count) else { fatalError("\(TorchError.last)") }
  }

  /// The same memory, which gradients can be asked with respect to.
  public func tracked() -> Tensor {
    guard torch.track(handle, true) else { fatalError("\(TorchError.last)") }
    return self
  }
}
