internal import CTorch
internal import CTorchVersion
import Glibc

/// Where a tensor is.
public enum Device: Sendable, Equatable, CustomStringConvertible {
  /// The processor's memory, the default.
  case cpu
  /// The memory of one CUDA device, counted from 0.
  case cuda(Int)

  /// The device of a name: `cpu`, `cuda` (the first) or `cuda:1`; nil for any other.
  public init?(_ name: String) {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    switch (parts.first, parts.count) {
    case ("cpu", 1): self = .cpu
    case ("cuda", 1): self = .cuda(0)
    case ("cuda", 2):
      guard let index = UInt8(parts[1]) else { return nil }
      self = .cuda(Int(index))
    default: return nil
    }
  }

  /// libtorch's name: `cpu` or `cuda:0`.
  public var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let index): "cuda:\(index)"
    }
  }
}

/// The libtorch that this process loads when it first needs one.
public enum TorchRuntime {
  /// Loads libtorch, once, and checks that it is of the minor version built for.
  ///
  /// Call it before anything else: a libtorch that cannot be loaded ends the process. Throws
  /// `TorchError`.
  public static func start() throws { _ = try TorchLibrary.loaded.get() }

  /// Whether this process has loaded libtorch.
  public static var isLoaded: Bool { dlopen(CTorchLibraryName, RTLD_LAZY | RTLD_NOLOAD) != nil }

  /// The version built for, such as `2.13.0`, as the loaded library says.
  public static var version: String { String(cString: torch.version()) }

  /// The version that this program was built for, without loading the library.
  public static var builtVersion: String { String(cString: ctorch_built_version()) }

  /// The vector instructions that libtorch and our own kernels have chosen for this processor, such
  /// as `libtorch AVX2, kernels avx2`: other ones give other last bits.
  public static var instructions: String { String(cString: torch.instructions()) }

  /// Threads that one operator may use when it is called from this thread.
  ///
  /// It is a property of the calling thread: a thread that trains sets it first. 1 is best for
  /// small networks, with runs side by side.
  public static var threads: Int {
    get { Int(torch.threads()) }
    set { torch.set_threads(Int32(newValue)) }
  }

  /// Where tensors that are made from this thread lie; `.cpu` unless it is set.
  ///
  /// A property of the calling thread, as `threads` is. Values are copied to and from the device as
  /// they are given and asked for. Load CUDA before naming a CUDA device.
  public static var device: Device {
    get {
      let place = torch.place()
      return place < 0 ? .cpu : .cuda(Int(place))
    }
    set {
      switch newValue {
      case .cpu: torch.set_place(-1)
      case .cuda(let index): torch.set_place(Int32(index))
      }
    }
  }

  /// Loads libtorch's CUDA half, from the folder of the other; throws `TorchError` without a
  /// device.
  public static func loadCUDA() throws {
    guard torch.load_cuda() else { throw TorchError.last }
  }
}
