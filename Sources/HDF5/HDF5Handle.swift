import CHDF5
import Support

/// One of the library's identifiers, closed with this object.
///
/// An identifier that stays open keeps its file open, so none is held in any other way.
final class HDF5Handle {
  let identifier: hid_t
  private let close: (hid_t) -> herr_t

  /// Makes an identifier by `make`, or throws what the library says; `operation` completes
  /// "HDF5 cannot …".
  init(
    _ operation: @autoclosure () -> String, file: String, close: @escaping (hid_t) -> herr_t,
    make: () -> hid_t
  ) throws(FileError) {
    identifier = try checked(operation(), file: file, make)
    self.close = close
  }

  deinit {
    silenceErrors()
    _ = close(identifier)
  }

  /// A property list of one of the library's classes.
  static func properties(_ kind: hid_t, file: String) throws(FileError) -> HDF5Handle {
    try HDF5Handle("make a property list", file: file, close: H5Pclose) { H5Pcreate(kind) }
  }
}

/// Runs a call of the library, or throws what it says if it answers with a negative number.
@discardableResult
func checked<Answer: SignedInteger>(
  _ operation: @autoclosure () -> String, file: String, _ call: () -> Answer
) throws(FileError) -> Answer {
  silenceErrors()
  let answer = call()
  guard answer >= 0 else {
    throw .refused(operation: operation(), file: file, stack: FileError.stack())
  }
  return answer
}

/// Keeps the library from printing; the setting belongs to a thread, so it is made before each
/// call.
func silenceErrors() { _ = H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil) }
