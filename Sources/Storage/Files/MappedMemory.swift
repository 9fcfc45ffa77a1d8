internal import HDF5

/// Which files lie in memory, for a handler of SIGBUS.
public enum MappedMemory {
  /// Makes the table ready, which a handler may not do.
  public static func prepare() { MappedFile.prepareTable() }

  /// The path of the file that is mapped at an address, as C's text; nil if none of ours is.
  ///
  /// A handler may call it.
  public static func path(at address: UnsafeRawPointer?) -> UnsafePointer<CChar>? {
    address.flatMap { MappedFile.path(at: $0) }
  }
}
