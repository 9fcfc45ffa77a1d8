internal import CTorch

/// What libtorch, or a file of tensors, has against what was asked.
public struct TorchError: Error, Equatable, CustomStringConvertible {
  /// libtorch's own text, or rule, found and where.
  public let description: String

  /// Makes an error from its text.
  public init(_ description: String) { self.description = description }

  /// The last error of libtorch's on this thread.
  static var last: TorchError { TorchError(String(cString: torch.error())) }
}
