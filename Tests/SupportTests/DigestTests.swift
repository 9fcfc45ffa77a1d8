import Foundation
import Support
import TestSupport
import Testing

struct DigestTests {
  /// FIPS 180-2, appendix B.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func knownVectors(text: String, digest: String) throws {
    #expect(Digest.sha256(of: Data(text.utf8)) == digest)
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("text")
    try Data(text.utf8).write(to: file)
    #expect(try Digest.sha256(ofFile: file) == digest)
  }

  @Test func aMillionLettersFromAFileInPieces() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("text")
    try Data(repeating: UInt8(ascii: "a"), count: 1_000_000).write(to: file)
    #expect(
      try Digest.sha256(ofFile: file)
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func anAbsentFileIsAnError() {
    #expect(throws: FileError.missing("/none")) {
      try Digest.sha256(ofFile: URL(fileURLWithPath: "/none"))
    }
  }
}
