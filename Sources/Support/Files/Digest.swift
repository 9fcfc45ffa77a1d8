import CCrypto
public import Foundation

/// SHA-256, as 64 lower-case hexadecimal digits.
public enum Digest {
  /// The digest of bytes.
  public static func sha256(of bytes: UnsafeRawBufferPointer) -> String {
    let stream = DigestStream()
    stream.append(bytes)
    return stream.finish()
  }

  /// The digest of bytes.
  public static func sha256(of data: Data) -> String { data.withUnsafeBytes { sha256(of: $0) } }

  /// The digest of a file, read piece by piece.
  public static func sha256(ofFile url: URL) throws(FileError) -> String {
    let stream = DigestStream()
    try forEachPiece(of: url) { stream.append($0) }
    return stream.finish()
  }
}

/// A digest in the making.
package final class DigestStream {
  private let context: OpaquePointer

  /// Starts with nothing.
  package init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      preconditionFailure("OpenSSL gives no SHA-256")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Appends bytes.
  package func append(_ bytes: UnsafeRawBufferPointer) {
    precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "SHA-256 failed")
  }

  /// Appends a number as 8 bytes, the lowest first.
  package func append(_ number: Int) {
    withUnsafeBytes(of: number.littleEndian) { append($0) }
  }

  /// The digest of all that was appended; nothing can be appended after it.
  package func finish() -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: finishBytes().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
      as: UTF8.self)
  }

  /// The digest's first 8 bytes as a number; nothing can be appended after it.
  package func finishNumber() -> UInt64 {
    finishBytes().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  private func finishBytes() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 32)
    precondition(EVP_DigestFinal_ex(context, &bytes, nil) == 1, "SHA-256 failed")
    return bytes
  }
}
