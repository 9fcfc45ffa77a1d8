import CHDF5
public import Foundation
public import Support

/// An open HDF5 file; closing it, or dropping it, closes all that was opened through it.
///
/// It differs from the library's defaults in:
/// 1. nothing is locked, as no file of ours is opened for writing twice or read before its rename,
///    and network file systems without locks would refuse even to read (h5py #1082);
/// 2. metadata is written in the format of version 1.10, in which every block has a checksum, so a
///    flipped bit is an error and not a crash;
/// 3. datasets start at multiples of 64 bytes, for mapping, except in files of many small ones made
///    by `init(writingTo:name:)`, where the library would search the gaps before each;
/// 4. no times are stored and nothing is filled, so equal contents are equal bytes;
/// 5. soft and external links are not followed, and elements in other files not read. So a digest
///    of the file's bytes covers all that is read from it.
///
/// One thread at a time may use an object; the library itself lets one thread of a process work.
public final class HDF5File {
  /// The file's name, for messages.
  public let name: String
  private var handle: HDF5Handle?
  private let failure: WriteFailure?
  /// The system's number for the first write that failed; 0 if none did.
  public var writeFailure: Int32 { failure?.number.pointee ?? 0 }

  /// The library's version, such as `1.10.8`.
  public static var libraryVersion: String {
    var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
    H5get_libversion(&major, &minor, &release)
    return "\(major).\(minor).\(release)"
  }

  /// Opens a file for reading.
  public convenience init(reading url: URL) throws(FileError) {
    try self.init(name: url.path) { access in
      H5Fopen(url.path, chdf5_read_only(), access)
    }
  }

  /// Makes a file, in place of any that is there.
  public convenience init(creating url: URL) throws(FileError) {
    try self.init(creating: url.path, in: nil, failure: nil, isMapped: true)
  }

  /// Makes a file in memory, in a descriptor that stays the caller's; messages call it `name`.
  ///
  /// A write that fails, as of a process that may make no large files, is kept in `writeFailure`.
  convenience init(creatingIn descriptor: Int32, name: String) throws(FileError) {
    try self.init(creating: name, in: descriptor, failure: WriteFailure(), isMapped: true)
  }

  /// Makes a file in a descriptor that stays the caller's, on a disk that may fill up.
  ///
  /// `writeFailure` keeps the first failure, and all else goes on.
  public convenience init(writingTo descriptor: Int32, name: String) throws(FileError) {
    try self.init(creating: name, in: descriptor, failure: WriteFailure(), isMapped: false)
  }

  private convenience init(
    creating path: String, in descriptor: Int32?, failure: WriteFailure?, isMapped: Bool
  ) throws(FileError) {
    let name = path
    let creation = try HDF5Handle.properties(chdf5_file_creation(), file: name)
    try checked("set up a file", file: name) { H5Pset_obj_track_times(creation.identifier, false) }
    // Links stay inside the root's own header, which is smaller than the heap that 9 would get.
    try checked("set up a file", file: name) {
      H5Pset_link_phase_change(creation.identifier, 64, 32)
    }
    try self.init(name: name, in: descriptor, failure: failure, isMapped: isMapped) { access in
      H5Fcreate(path, chdf5_truncate(), creation.identifier, access)
    }
  }

  /// The driver for files in memory.
  private static let memoryDriver = chdf5_register_memory_driver()

  private init(
    name: String, in descriptor: Int32? = nil, failure: WriteFailure? = nil, isMapped: Bool = true,
    open: (hid_t) -> hid_t
  ) throws(FileError) {
    self.name = name
    self.failure = failure
    let access = try HDF5Handle.properties(chdf5_file_access(), file: name)
    let list = access.identifier
    try checked("set up a file", file: name) { H5Pset_fclose_degree(list, H5F_CLOSE_STRONG) }
    try checked("set up a file", file: name) { H5Pset_file_locking(list, false, true) }
    if isMapped {
      try checked("set up a file", file: name) { H5Pset_alignment(list, 1, 64) }
    }
    try checked("set up a file", file: name) {
      H5Pset_libver_bounds(list, H5F_LIBVER_V110, H5F_LIBVER_V110)
    }
    if let descriptor {
      try checked("set up a file in memory", file: name) {
        chdf5_use_memory(list, HDF5File.memoryDriver, descriptor, failure?.number)
      }
    }
    handle = try HDF5Handle("open the file", file: name, close: leaveOpen) { open(list) }
  }

  deinit { try? close() }

  /// Writes what is left and closes, or throws if that fails; closing twice does nothing.
  public func close() throws(FileError) {
    guard let open = handle else { return }
    handle = nil
    try checked("close the file", file: name) { H5Fclose(open.identifier) }
  }

  /// The library's identifier; the file must be open.
  var identifier: hid_t {
    guard let handle else { preconditionFailure("\(name) is closed") }
    return handle.identifier
  }

  // MARK: - What is inside

  /// Whether a path such as `behaviour/sources` leads to something.
  public func contains(_ path: String) throws(FileError) -> Bool {
    var walked = ""
    for part in path.split(separator: "/") {
      walked += (walked.isEmpty ? "" : "/") + part
      let found = try checked("look for '\(walked)'", file: name) {
        H5Lexists(identifier, walked, hid_t(H5P_DEFAULT))
      }
      if found == 0 { return false }
      var link = H5L_info_t()
      try checked("look at '\(walked)'", file: name) {
        H5Lget_info(identifier, walked, &link, hid_t(H5P_DEFAULT))
      }
      guard link.type == H5L_TYPE_HARD else {
        throw .notRead(
          file: name, dataset: walked,
          reason: "it must lie in this file, and is "
            + (link.type == H5L_TYPE_SOFT ? "a soft link" : "a link to another file"))
      }
    }
    return true
  }

  /// Whether a path, which must lead to something, leads to a group.
  public func isGroup(_ path: String) throws(FileError) -> Bool {
    _ = try contains(path)
    let object = try HDF5Handle("open '\(path)'", file: name, close: H5Oclose) {
      H5Oopen(identifier, path, hid_t(H5P_DEFAULT))
    }
    return H5Iget_type(object.identifier) == H5I_GROUP
  }

  /// Names in a group, sorted; the root by default.
  public func listing(of group: String = "/") throws(FileError) -> [String] {
    _ = try contains(group)
    let opened = try HDF5Handle("open group '\(group)'", file: name, close: H5Gclose) {
      H5Gopen2(identifier, group, hid_t(H5P_DEFAULT))
    }
    var names: [String] = []
    try withUnsafeMutablePointer(to: &names) { pointer throws(FileError) in
      var position: hsize_t = 0
      try checked("list group '\(group)'", file: name) {
        H5Literate(
          opened.identifier, H5_INDEX_NAME, H5_ITER_NATIVE, &position,
          { _, name, _, target in
            guard let name, let target else { return 0 }
            target.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
            return 0
          }, pointer)
      }
    }
    return names.sorted()
  }

  /// Opens a dataset and reads its type, shape and storage.
  public func dataset(_ path: String) throws(FileError) -> HDF5Dataset {
    try HDF5Dataset(path, in: self)
  }

  /// Makes a group; the groups above it must be there.
  public func createGroup(_ path: String) throws(FileError) {
    let creation = try HDF5Handle.properties(chdf5_group_creation(), file: name)
    try checked("set up group '\(path)'", file: name) {
      H5Pset_obj_track_times(creation.identifier, false)
    }
    _ = try HDF5Handle("make group '\(path)'", file: name, close: H5Gclose) {
      H5Gcreate2(identifier, path, hid_t(H5P_DEFAULT), creation.identifier, hid_t(H5P_DEFAULT))
    }
  }
}

/// Where the driver leaves the number of the first write that failed.
private final class WriteFailure {
  let number = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

  init() { number.initialize(to: 0) }

  deinit { number.deallocate() }
}

/// Closes nothing: a file is closed where the answer is looked at.
private func leaveOpen(_: hid_t) -> herr_t { 0 }
