import Foundation
import Storage
import Support

/// The members of a zip archive, as numpy's `.npz` is one: stored, or deflated by libdeflate into
/// scratch memory.
///
/// Read is the central directory at the end, with the fields of zip64; the local header of a member
/// only says where its bytes begin. Encrypted members, other methods and archives in several parts
/// are refused. Check sums are checked. Source: APPNOTE.TXT 6.3.10 of PKWARE.
struct ZipArchive {
  /// A member.
  struct Member {
    let name: String
    let method: Int
    let checkSum: UInt32
    let packed: Int
    let unpacked: Int
    /// Where its local header begins.
    let header: Int
  }

  /// Archives of ours have a dozen members.
  private static let memberLimit = 1_000

  let members: [Member]
  private let map: MappedFile
  private let url: URL

  /// Opens an archive and reads its directory.
  init(_ url: URL) throws(FileError) {
    self.url = url
    map = try MappedFile.opening(url)
    let bytes = map.bytes
    let (count, size, start) = try ZipArchive.directory(bytes, url)
    var members: [Member] = []
    var place = start
    for _ in 0..<count {
      guard place + 46 <= start + size, bytes.number(place, 4) == 0x0201_4b50 else {
        throw ZipArchive.fault(url, "the directory must have an entry", place)
      }
      let lengths = (0..<3).map { Int(bytes.number(place + 28 + 2 * $0, 2)) }
      let end = place + 46 + lengths.reduce(0, +)
      guard end <= start + size else {
        throw ZipArchive.fault(url, "an entry must lie in the directory", place)
      }
      guard bytes.number(place + 8, 2) & 1 == 0 else {
        throw .cannotConvert(url.path, reason: "the member at byte \(place) is encrypted")
      }
      let name = String(decoding: bytes[(place + 46)..<(place + 46 + lengths[0])], as: UTF8.self)
      var (packed, unpacked, header) = (
        bytes.number(place + 20, 4), bytes.number(place + 24, 4), bytes.number(place + 42, 4)
      )
      let extra = (place + 46 + lengths[0])..<(place + 46 + lengths[0] + lengths[1])
      ZipArchive.widen(&unpacked, &packed, &header, bytes, extra)
      guard let known = Int(exactly: unpacked), let stored = Int(exactly: packed),
        let offset = Int(exactly: header)
      else { throw ZipArchive.fault(url, "a member must have lengths below 2^63", place) }
      members.append(
        Member(
          name: name, method: Int(bytes.number(place + 10, 2)),
          checkSum: UInt32(bytes.number(place + 16, 4)), packed: stored, unpacked: known,
          header: offset))
      place = end
    }
    self.members = members
  }

  /// The archive's path, for messages.
  var path: String { url.path }

  /// A member's bytes as they are stored, and where they begin.
  private func packed(
    _ member: Member
  ) throws(FileError) -> (bytes: UnsafeRawBufferPointer, start: Int) {
    let bytes = map.bytes
    guard let local = map.slice(at: member.header, count: 30), local.number(0, 4) == 0x0403_4b50
    else {
      throw ZipArchive.fault(url, "'\(shown(member.name))' must have a header", member.header)
    }
    let start = member.header + 30 + Int(local.number(26, 2)) + Int(local.number(28, 2))
    guard let packed = map.slice(at: start, count: member.packed) else {
      throw .malformed(
        url.path,
        rule: "'\(shown(member.name))' must lie in the file's \(bytes.count) bytes",
        found: "\(member.packed) bytes at \(start)")
    }
    return (packed, start)
  }

  /// The first bytes of a member, unpacked: `count` of them, or fewer if it ends or is damaged
  /// before.
  func start(of member: Member, _ count: Int) throws(FileError) -> [UInt8] {
    let packed = try packed(member).bytes
    guard member.method == 8 else { return Array(packed.prefix(count)) }
    return [UInt8](unsafeUninitializedCapacity: count) { target, used in
      used = Deflate.inflateStart(packed, into: UnsafeMutableRawBufferPointer(target))
    }
  }

  /// A member's bytes, where they lie or unpacked, and what keeps them.
  func contents(
    of member: Member, _ options: FormatOptions
  ) throws(FileError) -> (UnsafeRawBufferPointer, AnyObject) {
    let (packed, start) = try packed(member)
    let (contents, owner): (UnsafeRawBufferPointer, AnyObject)
    switch member.method {
    case 0:
      guard member.packed == member.unpacked else {
        throw .malformed(
          url.path,
          rule: "'\(shown(member.name))' is stored and must have \(member.unpacked) bytes",
          found: "\(member.packed)")
      }
      (contents, owner) = (packed, map)
    case 8:
      guard member.unpacked / Deflate.largestGain <= member.packed, member.unpacked > 0 else {
        throw .malformed(
          url.path,
          rule:
            "'\(shown(member.name))' of \(member.packed) deflated bytes can't unpack to so many",
          found: "\(member.unpacked)")
      }
      let scratch = try options.scratchMemory(member.unpacked, for: url)
      guard Deflate.inflate(packed, into: scratch.scratchBytes) else {
        throw .malformed(
          url.path,
          rule: "'\(shown(member.name))' at byte \(start) must inflate to \(member.unpacked) bytes",
          found: "other contents")
      }
      (contents, owner) = (scratch.bytes, scratch)
    default:
      throw .cannotConvert(
        url.path,
        reason: "'\(shown(member.name))' is packed by method \(member.method), which is not read"
      )
    }
    let found = Deflate.crc32(contents)
    guard found == member.checkSum else {
      throw .malformed(
        url.path, rule: "'\(shown(member.name))' must have the check sum \(member.checkSum)",
        found: "\(found)")
    }
    return (contents, owner)
  }

  /// Entries, bytes and place of the central directory.
  private static func directory(
    _ bytes: UnsafeRawBufferPointer, _ url: URL
  ) throws(FileError) -> (count: Int, size: Int, start: Int) {
    // The end record is followed by a comment of at most 64 KiB.
    let lowest = max(0, bytes.count - 22 - 65_535)
    guard bytes.count >= 22,
      let end = stride(from: bytes.count - 22, through: lowest, by: -1).first(where: {
        bytes.number($0, 4) == 0x0605_4b50
      })
    else { throw .malformed(url.path, rule: "must end as a zip archive", found: "another end") }
    var (count, size, start) = (
      bytes.number(end + 10, 2), bytes.number(end + 12, 4), bytes.number(end + 16, 4)
    )
    if end >= 20, bytes.number(end - 20, 4) == 0x0706_4b50 {
      guard let place = Int(exactly: bytes.number(end - 20 + 8, 8)), place <= bytes.count - 56,
        bytes.number(place, 4) == 0x0606_4b50
      else { throw fault(url, "the end of a zip64 archive must be where it says", end - 20) }
      (count, size, start) = (
        bytes.number(place + 32, 8), bytes.number(place + 40, 8), bytes.number(place + 48, 8)
      )
    }
    guard let entries = Int(exactly: count), let length = Int(exactly: size),
      let first = Int(exactly: start), first <= bytes.count, length <= bytes.count - first
    else { throw fault(url, "the directory must lie in the file", end) }
    guard entries <= memberLimit else {
      throw .malformed(
        url.path, rule: "must have at most \(memberLimit) members", found: "\(entries)")
    }
    return (entries, length, first)
  }

  /// Puts in the 8-byte lengths of zip64, in their order, where those of 4 bytes say that they are
  /// there.
  private static func widen(
    _ unpacked: inout UInt64, _ packed: inout UInt64, _ header: inout UInt64,
    _ bytes: UnsafeRawBufferPointer, _ extra: Range<Int>
  ) {
    var place = extra.lowerBound
    while place + 4 <= extra.upperBound {
      let kind = bytes.number(place, 2)
      let end = place + 4 + Int(bytes.number(place + 2, 2))
      guard end <= extra.upperBound else { return }
      place += 4
      if kind == 1 {
        func take(_ value: inout UInt64) {
          guard value == 0xffff_ffff, place + 8 <= end else { return }
          value = bytes.number(place, 8)
          place += 8
        }
        take(&unpacked)
        take(&packed)
        take(&header)
      }
      place = end
    }
  }

  private static func fault(_ url: URL, _ rule: String, _ place: Int) -> FileError {
    .malformed(url.path, rule: "\(rule) at byte \(place)", found: "something else")
  }
}

extension UnsafeRawBufferPointer {
  /// An unsigned little-endian number of 1 to 8 bytes, all inside.
  func number(_ offset: Int, _ count: Int) -> UInt64 {
    (0..<count).reduce(0) { $0 | UInt64(self[offset + $1]) << (8 * UInt64($1)) }
  }
}
