import SafeHDF5
import Storage
import Support

extension SafeDataset {
  /// Rows in memory of their own.
  func copied(_ rows: Range<Int>) throws(FileError) -> ColumnMemory {
    let memory = ColumnMemory(count: rows.count * rowBytes)
    try read(rows, into: memory.bytes)
    return memory
  }
}
