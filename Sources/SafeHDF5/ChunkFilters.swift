import Support

/// The filters that a dataset's chunks went through, in that order.
struct ChunkFilters: Sendable {
  private enum Filter: Int, Sendable {
    case deflate = 1
    case shuffle = 2
    case fletcher32 = 3
    case lzf = 32000
  }

  private let filters: [Filter]
  private let elementBytes: Int

  var isEmpty: Bool { filters.isEmpty }
  /// A mask that leaves every filter out.
  var allBits: Int { (1 << filters.count) - 1 }
  /// The maximum number of bytes that a stored byte can stand for.
  var gain: Int {
    filters.contains(.deflate) ? Deflate.largestGain : filters.contains(.lzf) ? 264 : 1
  }

  init(_ header: ObjectHeader, elementBytes: Int) throws(FileError) {
    self.elementBytes = elementBytes
    var filters: [Filter] = []
    if var cursor = try header.first(.filters) {
      let version = try cursor.byte()
      let count = try cursor.byte()
      guard version == 1 || version == 2, count <= 32 else {
        throw cursor.damaged("its filters are of no known version")
      }
      if version == 1 { try cursor.skip(6) }
      for _ in 0..<count {
        let number = try cursor.short()
        let nameBytes = version == 1 || number >= 256 ? try cursor.short() : 0
        try cursor.skip(2)
        let values = try cursor.short()
        let name = try cursor.text(version == 1 ? (nameBytes + 7) / 8 * 8 : nameBytes)
        try cursor.skip(4 * values + (version == 1 && values % 2 == 1 ? 4 : 0))
        guard let filter = Filter(rawValue: number) else {
          throw cursor.notRead(
            "its chunks went through filter \(number)\(name.isEmpty ? "" : " (\(shown(name)))"); read are "
              + "deflate, shuffle, LZF and Fletcher-32")
        }
        filters.append(filter)
      }
      guard filters.count(where: { $0 == .deflate || $0 == .lzf }) <= 1 else {
        throw cursor.notRead("its chunks are compressed twice")
      }
    }
    self.filters = filters
  }

  /// Undoes the filters that `mask` does not leave out; false unless just `count` bytes come of it.
  func unpack(
    _ packed: UnsafeRawBufferPointer, mask: Int, to count: Int, into memory: inout [UInt8]
  ) -> Bool {
    var current: [UInt8]?
    for (place, filter) in filters.enumerated().reversed() where mask & (1 << place) == 0 {
      // Sums that were added before this filter are still in what it gives.
      let sums = filters.enumerated().count(where: {
        $0.offset < place && $0.element == .fletcher32 && mask & (1 << $0.offset) == 0
      })
      let undo = { (bytes: UnsafeRawBufferPointer) -> [UInt8]? in
        switch filter {
        case .fletcher32: ChunkFilters.checked(bytes)
        case .shuffle: unshuffled(bytes, upTo: bytes.count - 4 * sums)
        case .deflate: ChunkFilters.inflated(bytes, to: count + 4 * sums)
        case .lzf: LZF.expand(bytes, to: count + 4 * sums)
        }
      }
      guard let result = current.map({ $0.withUnsafeBytes(undo) }) ?? undo(packed) else {
        return false
      }
      current = result
    }
    memory = current ?? Array(packed)
    return memory.count == count
  }

  private static func inflated(_ bytes: UnsafeRawBufferPointer, to count: Int) -> [UInt8]? {
    var isWhole = false
    let result = [UInt8](unsafeUninitializedCapacity: count) { target, used in
      isWhole = ZlibDecompressor().inflate(bytes, into: UnsafeMutableRawBufferPointer(target))
      used = isWhole ? count : 0
    }
    return isWhole ? result : nil
  }

  private func unshuffled(_ bytes: UnsafeRawBufferPointer, upTo count: Int) -> [UInt8]? {
    let elements = count / elementBytes
    var result = Array(bytes)
    let size = elementBytes
    guard size > 1, count >= 0 else { return result }
    result.withUnsafeMutableBufferPointer { result in
      for element in 0..<elements {
        for byte in 0..<size {
          result[element &* size &+ byte] = bytes[byte &* elements &+ element]
        }
      }
    }
    return result
  }

  /// The bytes without the four of their Fletcher-32 sum; nil unless it is right.
  private static func checked(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    guard bytes.count >= 4 else { return nil }
    let count = bytes.count - 4
    var (one, two): (UInt32, UInt32) = (0, 0)
    func add(_ word: UInt32) {
      one = (one + word) % 65535
      two = (two + one) % 65535
    }
    for place in stride(from: 0, to: count - 1, by: 2) {
      add(UInt32(bytes[place]) << 8 | UInt32(bytes[place + 1]))
    }
    if count % 2 == 1 { add(UInt32(bytes[count - 1]) << 8) }
    let stored = bytes.loadUnaligned(fromByteOffset: count, as: UInt32.self)
    // Sums of 0 and of 65,535 are the same.
    let same = { (a: UInt32, b: UInt32) in a % 65535 == b % 65535 }
    guard same(stored & 0xffff, one), same(stored >> 16, two) else { return nil }
    return Array(bytes.prefix(count))
  }
}

/// Marc Lehmann's LZF, as h5py's filter writes it.
enum LZF {
  /// Expands to just `count` bytes, or nil.
  static func expand(_ bytes: UnsafeRawBufferPointer, to count: Int) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(count)
    var place = 0
    while place < bytes.count {
      let control = Int(bytes[place])
      place += 1
      if control < 32 {
        let length = control + 1
        guard length <= bytes.count - place, result.count + length <= count else { return nil }
        result.append(contentsOf: bytes[place..<(place + length)])
        place += length
        continue
      }
      var length = control >> 5
      if length == 7 {
        guard place < bytes.count else { return nil }
        length += Int(bytes[place])
        place += 1
      }
      guard place < bytes.count else { return nil }
      let back = (control & 31) << 8 | Int(bytes[place])
      place += 1
      length += 2
      let start = result.count - back - 1
      guard start >= 0, result.count + length <= count else { return nil }
      for k in 0..<length { result.append(result[start + k]) }
    }
    return result.count == count ? result : nil
  }
}
