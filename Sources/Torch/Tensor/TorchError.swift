internal import CTorch

/// An error of libtorch or of a file of tensors.
public struct TorchError: Error, Equatable, CustomStringConvertible {
  /// libtorch's own text, or rule, found and where.
  public let description: String

  /// Makes an error from its text.
  public init(_ description: String) { self.description = description }

  /// The last error of libtorch's on this thread.
  static var last: TorchError { TorchError(String(cString: torch.error())) }
}
