/// A tensor with the name that it has in a file.
public struct NamedTensor: Sendable {
  /// The name, parts of which are separated by dots: `actor.0.weight`.
  public let name: String
  /// The tensor.
  public let tensor: Tensor

  /// Names a tensor.
  public init(_ name: String, _ tensor: Tensor) {
    self.name = name
    self.tensor = tensor
  }

  /// The same tensor, its name within `group`.
  public func within(_ group: String) -> NamedTensor { NamedTensor(group + "." + name, tensor) }

  /// The same name and a copy of the tensor.
  public func copied() -> NamedTensor { NamedTensor(name, tensor.copied()) }
}
