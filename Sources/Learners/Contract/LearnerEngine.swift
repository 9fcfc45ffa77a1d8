import Torch

/// The library that networks are computed by, which decides the last bits of what is trained.
///
/// It is loaded when a learner is made; a process that has made none has no engine.
public enum LearnerEngine {
  /// Its version, such as `2.13.0`.
  public static var version: String? { TorchRuntime.isLoaded ? TorchRuntime.version : nil }

  /// The version that this program was built for; the library is not loaded to know it.
  public static var builtVersion: String { TorchRuntime.builtVersion }

  /// The vector instructions that were chosen for this processor, such as `libtorch AVX2, kernels
  /// avx2`.
  public static var instructions: String? {
    TorchRuntime.isLoaded ? TorchRuntime.instructions : nil
  }
}
