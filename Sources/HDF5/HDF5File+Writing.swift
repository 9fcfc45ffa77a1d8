import CHDF5
public import Support

extension HDF5File {
  /// Writes a contiguous dataset; `bytes` must hold just `shape`, row-major.
  public func write(
    _ path: String, _ type: HDF5Type, shape: [Int], bytes: UnsafeRawBufferPointer
  ) throws(FileError) {
    let expected = shape.reduce(type.byteCount, *)
    precondition(bytes.count == expected, "'\(path)' takes \(expected) bytes, found \(bytes.count)")
    let dataset = try create(path, type, shape: shape)
    try checked("write '\(path)'", file: name) {
      H5Dwrite(
        dataset.identifier, type.identifier, hid_t(H5S_ALL), hid_t(H5S_ALL), hid_t(H5P_DEFAULT),
        bytes.baseAddress)
    }
  }

  /// Makes a contiguous dataset whose bytes are somebody else's to write, and gives their offset.
  func reserve(_ path: String, _ type: HDF5Type, shape: [Int]) throws(FileError) -> Int {
    let dataset = try create(path, type, shape: shape, early: true)
    let offset = H5Dget_offset(dataset.identifier)
    guard offset != chdf5_no_address() else {
      throw .damaged(file: name, dataset: path, rule: "no room was reserved for it")
    }
    return Int(offset)
  }

  /// Writes a dataset in compressed chunks, as the library's own shuffle and deflate filters would,
  /// but on several threads.
  ///
  /// A chunk is a run of whole rows of some 256 KiB, so an episode is read without decoding much
  /// else. The bytes depend on the version of libdeflate and on `level`, not on `threads`.
  public func writeCompressed(
    _ path: String, _ type: HDF5Type, shape: [Int], bytes: UnsafeRawBufferPointer, level: Int,
    threads: Int
  ) throws(FileError) {
    let expected = shape.reduce(type.byteCount, *)
    precondition(
      !shape.isEmpty && expected > 0 && bytes.count == expected,
      "'\(path)' takes \(expected) bytes, found \(bytes.count)")
    let rows = shape[0]
    let codec = ChunkCodec(
      rows: min(rows, max(1, 262_144 / (expected / rows))), rowBytes: expected / rows,
      elementBytes: type.byteCount, isShuffled: type.byteCount > 1)
    let dataset = try create(path, type, shape: shape, chunk: codec, level: level)
    var origin = [hsize_t](repeating: 0, count: shape.count)
    for (index, chunk) in codec.encode(bytes, rows: rows, level: level, threads: threads)
      .enumerated()
    {
      origin[0] = hsize_t(index * codec.rows)
      try checked("write a chunk of '\(path)'", file: name) {
        chunk.withUnsafeBytes {
          H5Dwrite_chunk(
            dataset.identifier, hid_t(H5P_DEFAULT), 0, origin, $0.count, $0.baseAddress)
        }
      }
    }
  }

  /// Makes an empty dataset: contiguous, or in chunks of whole rows with the usual filters.
  private func create(
    _ path: String, _ type: HDF5Type, shape: [Int], early: Bool = false, chunk: ChunkCodec? = nil,
    level: Int = 0
  ) throws(FileError) -> HDF5Handle {
    try create(path, type.identifier, shape: shape, early: early, chunk: chunk, level: level)
  }

  /// The same, of a type of the library.
  func create(
    _ path: String, _ type: hid_t, shape: [Int], early: Bool = false, chunk: ChunkCodec? = nil,
    level: Int = 0
  ) throws(FileError) -> HDF5Handle {
    let dimensions = shape.map { hsize_t($0) }
    let space = try HDF5Handle("make the shape of '\(path)'", file: name, close: H5Sclose) {
      H5Screate_simple(Int32(shape.count), dimensions, nil)
    }
    let creation = try HDF5Handle.properties(chdf5_dataset_creation(), file: name)
    let list = creation.identifier
    let setUp = "set up '\(path)'"
    try checked(setUp, file: name) { H5Pset_obj_track_times(list, false) }
    try checked(setUp, file: name) { H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) }
    if early {
      try checked(setUp, file: name) { H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY) }
    }
    if let chunk {
      let chunkShape = [hsize_t(chunk.rows)] + dimensions.dropFirst()
      try checked(setUp, file: name) { H5Pset_chunk(list, Int32(shape.count), chunkShape) }
      if chunk.isShuffled { try checked(setUp, file: name) { H5Pset_shuffle(list) } }
      try checked(setUp, file: name) { H5Pset_deflate(list, UInt32(level)) }
    }
    let links = try HDF5Handle.properties(chdf5_link_creation(), file: name)
    try checked(setUp, file: name) { H5Pset_create_intermediate_group(links.identifier, 0) }
    return try HDF5Handle("make '\(path)'", file: name, close: H5Dclose) {
      H5Dcreate2(
        identifier, path, type, space.identifier, links.identifier, list,
        hid_t(H5P_DEFAULT))
    }
  }
}
