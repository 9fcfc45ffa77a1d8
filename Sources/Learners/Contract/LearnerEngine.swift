import Torch

/// The library that networks are computed by, which decides the last bits of what is trained.
public enum LearnerEngine {
  /// Its version, such as `2.13.0`.
  public static var version: String { TorchRuntime.version }

  /// The vector instructions that were chosen for this processor, such as `libtorch AVX2, kernels
  /// avx2`.
  public static var instructions: String { TorchRuntime.instructions }
}
