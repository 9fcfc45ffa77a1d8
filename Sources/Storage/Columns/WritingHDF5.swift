package import HDF5
package import Support

/// Runs what writes an HDF5 file; throws what the system said of its first write that failed, or
/// else HDF5's error.
///
/// The library goes on after a failed write, and may then stumble over what it believes to have
/// written.
package func writing<Result>(
  _ file: HDF5File, _ body: () throws(FileError) -> Result
) throws(FileError) -> Result {
  func check() throws(FileError) {
    if file.writeFailure != 0 { throw .writing(file.name, code: file.writeFailure) }
  }
  let result: Result
  do throws(FileError) { result = try body() } catch {
    try check()
    throw error
  }
  try check()
  return result
}
