public import HDF5

/// The axis of a column's rows.
public enum RowAxis: String, Sendable, Codable {
  /// The steps of all episodes, `T`.
  case steps
  /// The states around them, one more an episode, `T + E`.
  case states
  /// The episodes, `E`.
  case episodes
}

/// A column of some episodes: rows of numbers of one type, one after the other, where they lie in a
/// file or in memory.
public struct TableColumn: @unchecked Sendable {
  /// The type of its numbers.
  public let type: HDF5Type
  /// Lengths of the axes after the first; empty if a row is one number.
  public let rowShape: [Int]
  /// The axis of its rows.
  public let axis: RowAxis
  /// Its numbers, row-major and little-endian; they may begin at any address.
  public let bytes: UnsafeRawBufferPointer
  /// The owner of the bytes.
  private let owner: AnyObject

  /// Numbers in a row.
  public var width: Int { rowShape.reduce(1, *) }
  /// Bytes of a row.
  public var rowBytes: Int { width * type.byteCount }
  /// Rows.
  public var rows: Int { bytes.count / rowBytes }

  /// A column over bytes that `owner` keeps.
  public init(
    _ type: HDF5Type, rowShape: [Int], axis: RowAxis, bytes: UnsafeRawBufferPointer,
    owner: AnyObject
  ) {
    precondition(rowShape.allSatisfy { $0 > 0 }, "a row has numbers, found shape \(rowShape)")
    self.type = type
    self.rowShape = rowShape
    self.axis = axis
    self.bytes = bytes
    self.owner = owner
    precondition(bytes.count % rowBytes == 0, "\(bytes.count) bytes in rows of \(rowBytes)")
  }

  /// A column of `rows` rows in memory of its own, which `fill` writes whole.
  public init<Failure>(
    _ type: HDF5Type, rowShape: [Int] = [], axis: RowAxis, rows: Int,
    fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let memory = ColumnMemory(count: rows * rowShape.reduce(type.byteCount, *))
    try fill(memory.bytes)
    self.init(
      type, rowShape: rowShape, axis: axis, bytes: UnsafeRawBufferPointer(memory.bytes),
      owner: memory)
  }

  /// A column of numbers that are given.
  public init<Element: BitwiseCopyable>(
    _ type: HDF5Type, rowShape: [Int] = [], axis: RowAxis, _ values: [Element]
  ) {
    precondition(
      type.byteCount == MemoryLayout<Element>.size, "a column of \(type.rawValue) takes others")
    let rows = values.count / rowShape.reduce(1, *)
    self.init(type, rowShape: rowShape, axis: axis, rows: rows) { target in
      values.withUnsafeBytes { target.copyMemory(from: $0) }
    }
  }

  /// The same numbers for other rows or in another arrangement.
  public func viewed(rowShape: [Int], axis: RowAxis) -> TableColumn {
    TableColumn(type, rowShape: rowShape, axis: axis, bytes: bytes, owner: owner)
  }

  /// Some rows of it, in place.
  public func slice(_ rows: Range<Int>) -> TableColumn {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= self.rows, "rows \(rows) of \(self.rows)")
    let part = bytes[(rows.lowerBound * rowBytes)..<(rows.upperBound * rowBytes)]
    return TableColumn(
      type, rowShape: rowShape, axis: axis, bytes: UnsafeRawBufferPointer(rebasing: part),
      owner: owner)
  }

  /// Ranges of its rows, `count` in all, one after the other in memory of their own.
  package func gathered(
    _ ranges: some Sequence<Range<Int>>, count: Int, axis: RowAxis
  ) -> TableColumn {
    TableColumn(type, rowShape: rowShape, axis: axis, rows: count) { target in
      withBytes { bytes in
        let row = rowBytes
        var position = 0
        for range in ranges {
          let part = bytes[(range.lowerBound * row)..<(range.upperBound * row)]
          UnsafeMutableRawBufferPointer(rebasing: target[position...]).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: part))
          position += part.count
        }
        precondition(position == target.count, "\(count) rows were to be gathered")
      }
    }
  }

  /// Each row so many times, at least once, one after the other in memory of their own.
  package func repeated(_ counts: [Int], axis: RowAxis) -> TableColumn {
    TableColumn(type, rowShape: rowShape, axis: axis, rows: counts.reduce(0, +)) { target in
      withBytes { bytes in
        guard var place = target.baseAddress, var row = bytes.baseAddress else { return }
        for count in counts {
          place.copyMemory(from: row, byteCount: rowBytes)
          // What is there is copied behind itself.
          var done = 1
          while done < count {
            let more = min(done, count - done)
            (place + done * rowBytes).copyMemory(from: place, byteCount: more * rowBytes)
            done += more
          }
          place += count * rowBytes
          row += rowBytes
        }
      }
    }
  }

  /// Ranges of rows of several columns, one after the other, in memory of its own.
  package static func gathered(_ parts: [(column: TableColumn, rows: Range<Int>)]) -> TableColumn {
    guard let first = parts.first?.column else { preconditionFailure("no rows to gather") }
    let rows = parts.reduce(0) { $0 + $1.rows.count }
    return TableColumn(first.type, rowShape: first.rowShape, axis: first.axis, rows: rows) {
      target in
      var position = 0
      for (column, rows) in parts {
        precondition(
          column.type == first.type && column.rowShape == first.rowShape,
          "columns of one name must be alike")
        let source = column.slice(rows).bytes
        UnsafeMutableRawBufferPointer(rebasing: target[position...]).copyMemory(from: source)
        position += source.count
        withExtendedLifetime(column.owner) {}
      }
    }
  }

  /// The rows of columns of one type beside each other, in memory of their own.
  package static func besides(_ columns: [TableColumn]) -> TableColumn {
    guard let first = columns.first else { preconditionFailure("no columns to join") }
    let width = columns.reduce(0) { $0 + $1.width }
    return TableColumn(first.type, rowShape: [width], axis: first.axis, rows: first.rows) {
      target in
      var offset = 0
      for column in columns {
        precondition(
          column.type == first.type && column.rows == first.rows, "rows of other columns")
        column.withBytes { bytes in
          for row in 0..<column.rows {
            let place = row * width * first.type.byteCount + offset
            UnsafeMutableRawBufferPointer(rebasing: target[place..<(place + column.rowBytes)])
              .copyMemory(
                from: UnsafeRawBufferPointer(
                  rebasing: bytes[(row * column.rowBytes)..<((row + 1) * column.rowBytes)]))
          }
        }
        offset += column.rowBytes
      }
    }
  }

  /// The same numbers as floats of 8 bytes, if they are of fewer and `isWide`; integers stay.
  package func widened(_ isWide: Bool) -> TableColumn {
    guard isWide, type == .float32 else { return self }
    return converted(.float64) { (value: Float) in Double(value) }
  }

  /// The same numbers as floats of 4 bytes, if they are of 8; others stay.
  package func narrowed() -> TableColumn {
    guard type == .float64 else { return self }
    return converted(.float32) { (value: Double) in Float(value) }
  }

  /// Numbers of discrete actions as numpy has integers, in 8 bytes; others stay.
  package func withWideActions() -> TableColumn {
    guard type == .int32 else { return self }
    return converted(.int64) { (value: Int32) in Int64(value) }
  }

  /// Each number as another, in memory of their own.
  private func converted<From: BitwiseCopyable, To: BitwiseCopyable>(
    _ type: HDF5Type, _ convert: (From) -> To
  ) -> TableColumn {
    TableColumn(type, rowShape: rowShape, axis: axis, rows: rows) { target in
      withBytes { bytes in
        guard let source = bytes.baseAddress else { return }
        let numbers = target.bindMemory(to: To.self)
        for place in 0..<(bytes.count / MemoryLayout<From>.size) {
          numbers[place] = convert(
            source.loadUnaligned(
              fromByteOffset: place &* MemoryLayout<From>.size, as: From.self))
        }
      }
    }
  }

  /// Some numbers of each row.
  package func picking(_ indices: [Int]) -> TableColumn {
    precondition([4, 8].contains(type.byteCount), "goals are of floats, found \(type.rawValue)")
    let (row, size) = (rowBytes, type.byteCount)
    return TableColumn(type, rowShape: [indices.count], axis: axis, rows: rows) { target in
      withBytes { bytes in
        var position = 0
        for start in stride(from: 0, to: bytes.count, by: row) {
          for index in indices {
            let place = start &+ index &* size
            if size == 8 {
              target.storeBytes(
                of: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self),
                toByteOffset: position, as: UInt64.self)
            } else {
              target.storeBytes(
                of: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self),
                toByteOffset: position, as: UInt32.self)
            }
            position &+= size
          }
        }
      }
    }
  }

  // MARK: - Numbers

  /// Calls `body` with the bytes, which stay as long as it runs.
  public func withBytes<Result, Failure>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(owner) {} }
    return try body(bytes)
  }

  /// The numbers of some rows as `Float`; those of 8 bytes are rounded.
  public func floats(_ rows: Range<Int>? = nil) -> [Float] {
    if type == .float32 { return copied(rows) }
    return numbers(rows) {
      Float($0)
    } integer: {
      Float($0)
    } same: { (value: Float) in
      value
    }
  }

  /// The numbers of some rows as `Double`, all but large integers exactly.
  public func doubles(_ rows: Range<Int>? = nil) -> [Double] {
    if type == .float64 { return copied(rows) }
    return numbers(rows) {
      $0
    } integer: {
      Double($0)
    } same: { (value: Float) in
      Double(value)
    }
  }

  /// The numbers of some rows as integers; fractions are cut off, and what does not fit is clamped.
  public func integers(_ rows: Range<Int>? = nil) -> [Int] {
    numbers(rows) {
      Int(exactly: $0.rounded(.towardZero)) ?? ($0 > 0 ? Int.max : Int.min)
    } integer: {
      Int(clamping: $0)
    } same: { (value: Float) in
      Int(exactly: value.rounded(.towardZero)) ?? (value > 0 ? Int.max : Int.min)
    }
  }

  /// The numbers of some rows in an array of their own type.
  private func copied<Element: BitwiseCopyable>(_ rows: Range<Int>?) -> [Element] {
    (rows.map { slice($0) } ?? self).withBytes { bytes in
      let count = bytes.count / MemoryLayout<Element>.size
      return [Element](unsafeUninitializedCapacity: count) { target, written in
        UnsafeMutableRawBufferPointer(target).copyMemory(from: bytes)
        written = count
      }
    }
  }

  private func numbers<Result>(
    _ rows: Range<Int>?, _ double: (Double) -> Result, integer: (Int64) -> Result,
    same: (Float) -> Result
  ) -> [Result] {
    let part = rows.map { slice($0) } ?? self
    return part.withBytes { bytes in
      func load<Element: BitwiseCopyable>(
        _ element: Element.Type, _ convert: (Element) -> Result
      ) -> [Result] {
        let size = MemoryLayout<Element>.size
        return [Result](unsafeUninitializedCapacity: bytes.count / size) { target, count in
          count = bytes.count / size
          guard let start = target.baseAddress else { return }
          for place in 0..<count {
            (start + place).initialize(
              to: convert(bytes.loadUnaligned(fromByteOffset: place &* size, as: Element.self)))
          }
        }
      }
      switch type {
      case .float32: return load(Float.self, same)
      case .float64: return load(Double.self, double)
      case .int8: return load(Int8.self) { integer(Int64($0)) }
      case .int16: return load(Int16.self) { integer(Int64($0)) }
      case .int32: return load(Int32.self) { integer(Int64($0)) }
      case .int64: return load(Int64.self) { integer($0) }
      case .uint8, .bool: return load(UInt8.self) { integer(Int64($0)) }
      case .uint16: return load(UInt16.self) { integer(Int64($0)) }
      case .uint32: return load(UInt32.self) { integer(Int64($0)) }
      case .uint64: return load(UInt64.self) { integer(Int64(clamping: $0)) }
      }
    }
  }
}
