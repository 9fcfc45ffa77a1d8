import HDF5
import SafeHDF5
import Storage
import Support

/// An array of numpy where it lies in a file.
struct NumpyArray: @unchecked Sendable {
  /// Its name in messages.
  let name: String
  /// The file, for messages.
  let path: String
  /// The type of the elements that `rows` gives.
  let type: HDF5Type
  private let form: NumberForm
  /// Lengths of the axes, none of them 0.
  let shape: [Int]
  /// Whether the first axis is the fastest.
  let isFortran: Bool
  /// Its elements; they may begin at any address.
  private let bytes: UnsafeRawBufferPointer
  private let owner: AnyObject

  /// An array over bytes that `owner` keeps; throws unless they are as many as its shape takes.
  init(
    _ name: String, in path: String, type: HDF5Type, _ form: NumberForm, shape: [Int],
    isFortran: Bool, bytes: UnsafeRawBufferPointer, owner: AnyObject
  ) throws(FileError) {
    let needed = NumpyArray.byteCount(type, form, shape)
    let name = shown(name)
    guard let needed, needed > 0, needed == bytes.count else {
      throw .malformed(
        path,
        rule:
          "'\(name)' of shape \(shape) and type \(form.words(type)) must have \(needed ?? 0) bytes",
        found: "\(bytes.count)")
    }
    self.name = name
    self.path = path
    self.type = type
    self.form = form
    self.shape = shape
    self.isFortran = isFortran
    self.bytes = bytes
    self.owner = owner
  }

  /// What `rows` makes of elements that are stored in another way, as in "'a' as f32, which were
  /// f16"; else nil.
  var conversion: String? {
    form.isPlain ? nil : "'\(name)' as \(type.rawValue), which were \(form.words(type))"
  }

  /// Bytes of a stored element.
  private static func stored(_ type: HDF5Type, _ form: NumberForm) -> Int {
    form.isHalf ? 2 : type.byteCount
  }

  /// Bytes of an array; nil if they are too many to count.
  static func byteCount(_ type: HDF5Type, _ form: NumberForm, _ shape: [Int]) -> Int? {
    var product = stored(type, form)
    for length in shape {
      let (next, overflows) = product.multipliedReportingOverflow(by: length)
      guard length >= 0, !overflows else { return nil }
      product = next
    }
    return product
  }

  /// Throws unless the axes are as expected; nil stands for any length.
  func check(shape expected: [Int?], _ words: String) throws(FileError) {
    guard expected.count == shape.count,
      zip(expected, shape).allSatisfy({ $0 == nil || $0 == $1 })
    else {
      throw .malformed(path, rule: "'\(name)' must have the shape \(words)", found: "\(shape)")
    }
  }

  /// Throws unless the elements are floats.
  func checkIsFloat() throws(FileError) {
    guard type == .float32 || type == .float64 else {
      throw .malformed(path, rule: "'\(name)' must be f32 or f64", found: type.rawValue)
    }
  }

  /// Rows of the array, whose first `leading` axes count rows and whose others are a row.
  ///
  /// They are read in place if the last axis is the fastest and numbers are stored as they are
  /// used.
  ///
  /// - Parameters:
  ///   - range: Entries of the first axis.
  ///   - leading: Axes that count rows, 1 or 2.
  ///   - axis: What the rows are for.
  ///   - dropping: Entries at the end of the second axis that are left out.
  /// - Returns: The rows.
  func rows(
    _ range: Range<Int>, leading: Int, axis: RowAxis, dropping: Int = 0
  ) -> TableColumn {
    precondition((1...2).contains(leading) && leading <= shape.count, "'\(name)' has \(shape)")
    precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "\(range) of \(shape)")
    let second = leading == 2 ? shape[1] : 1
    let kept = second - dropping
    let rowShape = Array(shape[leading...])
    let width = rowShape.reduce(1, *)
    let size = NumpyArray.stored(type, form)
    if form.isPlain, !isFortran, dropping == 0 {
      let row = second * width * size
      return TableColumn(
        type, rowShape: rowShape, axis: axis,
        bytes: UnsafeRawBufferPointer(
          rebasing: bytes[(range.lowerBound * row)..<(range.upperBound * row)]), owner: owner)
    }
    return TableColumn(type, rowShape: rowShape, axis: axis, rows: range.count * kept) { all in
      let target = UnsafeMutableRawBufferPointer(
        rebasing: all[(form.isHalf ? all.count / 2 : 0)...])
      defer {
        withExtendedLifetime(owner) {}
        if !form.isPlain { form.restore(type, in: all) }
      }
      guard isFortran else {
        // Rows of one entry of the first axis are neighbours.
        let (row, run) = (second * width * size, kept * width * size)
        for (place, entry) in range.enumerated() {
          UnsafeMutableRawBufferPointer(rebasing: target[(place * run)..<((place + 1) * run)])
            .copyMemory(
              from: UnsafeRawBufferPointer(rebasing: bytes[(entry * row)..<(entry * row + run)]))
        }
        return
      }
      switch size {
      case 4: gather(range, second, kept, leading, into: target, as: UInt32.self)
      case 8: gather(range, second, kept, leading, into: target, as: UInt64.self)
      case 2: gather(range, second, kept, leading, into: target, as: UInt16.self)
      default: gather(range, second, kept, leading, into: target, as: UInt8.self)
      }
    }
  }

  /// Copies rows of an array whose first axis is the fastest.
  private func gather<Word: BitwiseCopyable>(
    _ range: Range<Int>, _ second: Int, _ kept: Int, _ leading: Int,
    into target: UnsafeMutableRawBufferPointer, as word: Word.Type
  ) {
    let size = MemoryLayout<Word>.size
    let rest = Array(shape[leading...])
    let width = rest.reduce(1, *)
    for number in 0..<width {
      // The place in a row, the last axis fastest, and in the file, the first axis fastest.
      var (left, offset) = (number, 0)
      for axis in rest.indices.reversed() {
        let stride = shape[..<(leading + axis)].reduce(1, *)
        offset += left % rest[axis] * stride
        left /= rest[axis]
      }
      for t in 0..<kept {
        let from = offset + t * shape[0]
        for (place, entry) in range.enumerated() {
          target.storeBytes(
            of: bytes.loadUnaligned(fromByteOffset: (from &+ entry) &* size, as: Word.self),
            toByteOffset: ((place &* kept &+ t) &* width &+ number) &* size, as: Word.self)
        }
      }
    }
  }
}
