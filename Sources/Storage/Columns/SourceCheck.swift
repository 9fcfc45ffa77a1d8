package import Support

/// A check of bytes by their digest, done piece by piece; one thread at a time may go on with it.
public final class SourceCheck: @unchecked Sendable {
  private static let pieceBytes = 2_000_000

  /// Bytes that are still to be read.
  package var rest: Int { bytes.count - read }

  private let bytes: UnsafeRawBufferPointer
  private let owner: AnyObject
  private let stream = DigestStream()
  private let judge: @Sendable (String) throws(FileError) -> Void
  private var read = 0

  /// A check of bytes that `owner` keeps; `judge` throws unless the digest is as it should be.
  package init(
    of bytes: UnsafeRawBufferPointer, kept owner: AnyObject,
    judge: @escaping @Sendable (String) throws(FileError) -> Void
  ) {
    self.bytes = bytes
    self.owner = owner
    self.judge = judge
  }

  /// Reads a piece more, and says whether that was the last.
  package func goOn() throws(FileError) -> Bool {
    let end = min(read + SourceCheck.pieceBytes, bytes.count)
    stream.append(UnsafeRawBufferPointer(rebasing: bytes[read..<end]))
    withExtendedLifetime(owner) {}
    read = end
    guard rest == 0 else { return false }
    try judge(stream.finish())
    return true
  }
}
