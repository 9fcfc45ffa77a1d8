internal import CTorch

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

/// The libtorch that this process has loaded.
public enum TorchRuntime {
  /// Checks, once, that the libtorch that was loaded is of the minor version built for.
  ///
  /// Call it before anything else: other minor versions load and then crash. Throws `TorchError`.
  public static func start() throws { try started.get() }

  private static let started: Result<Void, TorchError> = {
    if let text = ctorch_start() { return .failure(TorchError(String(cString: text))) }
    return .success(())
  }()

  /// The version built for, such as `2.13.0`.
  public static var version: String { String(cString: ctorch_version()) }

  /// The vector instructions that libtorch and our own kernels have chosen for this processor, such
  /// as `libtorch AVX2, kernels avx2`: other ones give other last bits.
  public static var instructions: String { String(cString: ctorch_instructions()) }

  /// Threads that one operator may use when it is called from this thread.
  ///
  /// It is a property of the calling thread: a thread that trains sets it first. 1 is best for
  /// small networks, with runs side by side.
  public static var threads: Int {
    get { Int(ctorch_threads()) }
    set { ctorch_set_threads(Int32(newValue)) }
  }

  /// Where tensors that are made from this thread lie; `.cpu` unless it is set.
  ///
  /// A property of the calling thread, as `threads` is. Values are copied to and from the device as
  /// they are given and asked for. Load CUDA before naming a CUDA device.
  public static var device: Device {
    get {
      let place = ctorch_place()
      return place < 0 ? .cpu : .cuda(Int(place))
    }
    set {
      switch newValue {
      case .cpu: ctorch_set_place(-1)
      case .cuda(let index): ctorch_set_place(Int32(index))
      }
    }
  }

  /// Loads libtorch's CUDA half, from the folder of the other; throws `TorchError` without a
  /// device.
  public static func loadCUDA() throws {
    guard ctorch_load_cuda() else { throw TorchError.last }
  }
}
