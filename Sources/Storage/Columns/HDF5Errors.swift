package import HDF5
package import Support

/// Runs what writes an HDF5 file; throws what the system said of its first write that failed, or
/// else HDF5's error.
///
/// The library goes on after a failed write, and may then stumble over what it believes to have
/// written.
package func writing<Result>(
  _ file: HDF5File, _ body: () throws(HDF5Error) -> Result
) throws(StorageError) -> Result {
  func check() throws(StorageError) {
    if file.writeFailure != 0 { throw .writing(file.name, code: file.writeFailure) }
  }
  let result: Result
  do throws(HDF5Error) { result = try body() } catch {
    try check()
    throw .hdf5(error)
  }
  try check()
  return result
}

/// Runs what throws HDF5's errors, and throws them as storage errors.
package func reading<Result>(_ body: () throws(HDF5Error) -> Result) throws(StorageError) -> Result
{
  do { return try body() } catch { throw .hdf5(error) }
}
