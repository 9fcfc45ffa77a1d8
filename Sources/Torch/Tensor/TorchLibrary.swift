internal import CTorch
import Glibc

/// libtorch's functions, of a library that is loaded when the first of them is asked for.
///
/// Loading takes half a second, which only what trains or acts should wait for. The process ends
/// here if that fails: `TorchRuntime.start()` says so before.
var torch: CTorchTable {
  switch TorchLibrary.loaded {
  case .success(let table): table.pointee
  case .failure(let error): fatalError(error.description)
  }
}

enum TorchLibrary {
  /// The table of functions, or why it cannot be used.
  nonisolated(unsafe) static let loaded: Result<UnsafePointer<CTorchTable>, TorchError> = {
    guard let library = dlopen(CTorchLibraryName, RTLD_LAZY | RTLD_LOCAL),
      let table = dlsym(library, CTorchTableName)
    else {
      let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
      return .failure(
        TorchError("libtorch cannot be loaded (`make build` puts it in place): \(reason)"))
    }
    let functions = UnsafePointer(table.assumingMemoryBound(to: CTorchTable.self))
    if let text = functions.pointee.start() {
      return .failure(TorchError(String(cString: text)))
    }
    return .success(functions)
  }()
}
