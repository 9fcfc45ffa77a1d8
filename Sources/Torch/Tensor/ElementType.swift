/// The type of a tensor's elements.
public enum ElementType: Int32, Sendable, CaseIterable {
  case uint8 = 0
  case int8 = 1
  case int16 = 2
  case int32 = 3
  case int64 = 4
  case float16 = 5
  case float32 = 6
  case float64 = 7
  case bool = 11
  case bfloat16 = 15

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .int16, .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }
}

/// A Swift type that tensors can be made from and read as.
public protocol TensorElement: Sendable {
  /// The same type in libtorch.
  static var elementType: ElementType { get }
}

extension Float: TensorElement {
  /// 32 bits.
  public static var elementType: ElementType { .float32 }
}

extension Double: TensorElement {
  /// 64 bits.
  public static var elementType: ElementType { .float64 }
}

extension Int64: TensorElement {
  /// 64 bits.
  public static var elementType: ElementType { .int64 }
}

extension Int32: TensorElement {
  /// 32 bits.
  public static var elementType: ElementType { .int32 }
}

extension UInt8: TensorElement {
  /// 8 bits.
  public static var elementType: ElementType { .uint8 }
}
