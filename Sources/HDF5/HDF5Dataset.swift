import CHDF5
public import Support

/// An open dataset: its type, its shape, how it is stored, and its elements.
public final class HDF5Dataset {
  /// How the elements lie in the file.
  public enum Layout: Equatable, Sendable {
    /// One after the other from an offset in bytes, so they can be mapped.
    case contiguous(offset: Int)
    /// In compressed chunks of this many whole rows, which several threads can decode.
    case chunked(rows: Int)
    /// In any other way; only the library reads it.
    case other
  }

  /// The path inside the file.
  public let path: String
  /// The element type; nil for other types.
  public let type: HDF5Type?
  /// The element type in words, for messages.
  public let typeDescription: String
  /// Lengths of the axes, the slowest first; empty for a scalar.
  public let shape: [Int]
  /// How the elements lie in the file.
  public let layout: Layout
  /// Elements in all.
  public let count: Int

  private let file: HDF5File
  private let handle: HDF5Handle
  private let isShuffled: Bool

  /// Opens a dataset; its number of elements must fit 48 bits.
  init(_ path: String, in file: HDF5File) throws(FileError) {
    self.path = path
    self.file = file
    _ = try file.contains(path)
    let handle = try HDF5Handle("open '\(path)'", file: file.name, close: H5Dclose) {
      H5Dopen2(file.identifier, path, hid_t(H5P_DEFAULT))
    }
    self.handle = handle
    let type = try HDF5Handle("read the type of '\(path)'", file: file.name, close: H5Tclose) {
      H5Dget_type(handle.identifier)
    }
    let known = HDF5Type(type.identifier)
    self.type = known
    typeDescription = HDF5Type.words(for: type.identifier)
    let space = try HDF5Handle("read the shape of '\(path)'", file: file.name, close: H5Sclose) {
      H5Dget_space(handle.identifier)
    }
    let rank = Int(
      try checked("read the shape of '\(path)'", file: file.name) {
        H5Sget_simple_extent_ndims(space.identifier)
      })
    var dimensions = [hsize_t](repeating: 0, count: rank)
    try checked("read the shape of '\(path)'", file: file.name) {
      H5Sget_simple_extent_dims(space.identifier, &dimensions, nil)
    }
    var count = 1
    for dimension in dimensions {
      let (product, overflowed) = count.multipliedReportingOverflow(by: Int(clamping: dimension))
      guard !overflowed, product < 1 << 48, dimension < 1 << 48 else {
        throw .damaged(file: file.name, dataset: path, rule: "its shape is \(dimensions)")
      }
      count = product
    }
    shape = dimensions.map { Int($0) }
    self.count = count
    (layout, isShuffled) = try HDF5Dataset.layout(
      of: handle, path: path, shape: dimensions, count: count, type: known, file: file.name)
  }

  /// Reads all elements, converted by the library to `type`, which must take just `count` of them.
  public func read(
    as type: HDF5Type, into target: UnsafeMutableRawBufferPointer
  ) throws(FileError) {
    precondition(
      target.count == count * type.byteCount,
      "'\(path)' takes \(count * type.byteCount) bytes, found \(target.count)")
    try checked("read '\(path)'", file: file.name) {
      H5Dread(
        handle.identifier, type.identifier, hid_t(H5S_ALL), hid_t(H5S_ALL), hid_t(H5P_DEFAULT),
        target.baseAddress)
    }
  }

  /// The stored bytes of a contiguous dataset of a known type, inside the file's mapping.
  ///
  /// They are nil for other layouts, or if elements do not start at a multiple of their size.
  public func mapped(in map: MappedFile) throws(FileError) -> UnsafeRawBufferPointer? {
    guard case .contiguous(let offset) = layout, let type, offset % type.byteCount == 0 else {
      return nil
    }
    guard let bytes = map.slice(at: offset, count: count * type.byteCount) else {
      throw .damaged(
        file: file.name, dataset: path,
        rule: "its \(count * type.byteCount) bytes at \(offset) must lie inside the file, "
          + "which has \(map.bytes.count)")
    }
    return bytes
  }

  /// Reads all elements as they are stored: compressed chunks on several threads out of the file's
  /// mapping, anything else through the library.
  public func decode(
    from map: MappedFile, into target: UnsafeMutableRawBufferPointer, threads: Int
  ) throws(FileError) {
    guard let type else {
      preconditionFailure("'\(path)' is \(typeDescription), which has no stored form here")
    }
    guard case .chunked(let rows) = layout, count > 0 else {
      return try read(as: type, into: target)
    }
    let rowBytes = count / shape[0] * type.byteCount
    let chunks = try chunks(of: rows, rowBytes: rowBytes, in: map)
    let codec = ChunkCodec(
      rows: rows, rowBytes: rowBytes, elementBytes: type.byteCount, isShuffled: isShuffled)
    guard codec.decode(chunks, into: target, threads: threads) else {
      throw .damaged(file: file.name, dataset: path, rule: "a chunk does not decompress")
    }
  }

  /// The least that the file must hold for the elements: deflate never gains more than 1,032-fold.
  public func isPlausible(in map: MappedFile) -> Bool {
    count * (type?.byteCount ?? 1) / 1032 <= map.bytes.count
  }

  /// The compressed bytes of all chunks, each of which can hold what it must.
  private func chunks(
    of rows: Int, rowBytes: Int, in map: MappedFile
  ) throws(FileError) -> [UnsafeRawBufferPointer] {
    var origin = [hsize_t](repeating: 0, count: shape.count)
    var chunks: [UnsafeRawBufferPointer] = []
    for start in stride(from: 0, to: shape[0], by: rows) {
      origin[0] = hsize_t(start)
      var mask: UInt32 = 0
      var offset: haddr_t = 0
      var size: hsize_t = 0
      try checked("find a chunk of '\(path)'", file: file.name) {
        H5Dget_chunk_info_by_coord(handle.identifier, origin, &mask, &offset, &size)
      }
      guard mask == 0, offset != chdf5_no_address(),
        rows * rowBytes / Deflate.largestGain <= Int(clamping: size),
        let bytes = map.slice(at: Int(clamping: offset), count: Int(clamping: size))
      else {
        throw .damaged(
          file: file.name, dataset: path,
          rule:
            "the chunk at row \(start) must lie inside the file, be filtered and hold \(rows) rows")
      }
      chunks.append(bytes)
    }
    return chunks
  }

  /// How a dataset is stored, and whether its bytes are shuffled.
  ///
  /// A chunk is taken into memory whole, so none may be larger than what the dataset holds, or a
  /// megabyte.
  private static func layout(
    of handle: HDF5Handle, path: String, shape: [hsize_t], count: Int, type: HDF5Type?, file: String
  ) throws(FileError) -> (Layout, Bool) {
    let list = try HDF5Handle("read the layout of '\(path)'", file: file, close: H5Pclose) {
      H5Dget_create_plist(handle.identifier)
    }
    func elsewhere(_ storage: String) -> FileError {
      .notRead(
        file: file, dataset: path,
        reason: "its elements must lie in this file, and lie in others (\(storage))")
    }
    switch H5Pget_layout(list.identifier) {
    case H5D_VIRTUAL: throw elsewhere("a virtual dataset")
    case H5D_CONTIGUOUS:
      let offset = H5Dget_offset(handle.identifier)
      guard H5Pget_external_count(list.identifier) == 0 else {
        throw elsewhere("external storage")
      }
      guard offset != chdf5_no_address() else { return (.other, false) }
      return (.contiguous(offset: Int(clamping: offset)), false)
    case H5D_CHUNKED:
      var chunk = [hsize_t](repeating: 0, count: shape.count)
      guard H5Pget_chunk(list.identifier, Int32(shape.count), &chunk) == Int32(shape.count) else {
        return (.other, false)
      }
      let size = Double(type?.byteCount ?? 1)
      let chunkBytes = chunk.reduce(size) { $0 * Double($1) }
      let allowed = max(size * Double(count), 1_048_576)
      guard chunkBytes <= allowed else {
        throw .damaged(
          file: file, dataset: path,
          rule: "a chunk of \(chunk) must not be larger than the whole, which is \(shape)")
      }
      guard let rows = chunk.first, rows > 0, chunk.dropFirst() == shape.dropFirst(), type != nil
      else { return (.other, false) }
      var filters: [H5Z_filter_t] = []
      for index in 0..<H5Pget_nfilters(list.identifier) {
        var flags: UInt32 = 0
        var values = 0
        filters.append(
          H5Pget_filter2(list.identifier, UInt32(index), &flags, &values, nil, 0, nil, nil))
      }
      switch filters {
      case [H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE]: return (.chunked(rows: Int(rows)), true)
      case [H5Z_FILTER_DEFLATE]: return (.chunked(rows: Int(rows)), false)
      default: return (.other, false)
      }
    default: return (.other, false)
    }
  }
}
