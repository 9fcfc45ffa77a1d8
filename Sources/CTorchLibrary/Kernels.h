// Loops over numbers that libtorch has no operator for, or only as several passes over memory.
//
// Every matrix is row-major, 32-bit and without gaps unless a stride is given; results may not
// overlap what is read unless said. Sums are taken in an order that depends on the processor's
// vectors but on nothing else, so they have the same bits every time on one machine.
#pragma once
#include <cstdint>

/// The extents of an attention: `batch` sequences of `tokens` tokens, `heads` heads of `width`
/// numbers.
struct Attention {
  int64_t batch, tokens, heads, width;
  bool causal;  // a token attends to itself and to those before it only

  /// Numbers of one row of probabilities: the tokens, filled up to whole vectors.
  int64_t row() const { return (tokens + 15) / 16 * 16; }
};

struct Kernels {
  /// y ← y + bias, then max(0, y) if `rectified`; y is `[rows, columns]`, as in all that follows.
  void (*addBias)(float *y, const float *bias, int64_t rows, int64_t columns, bool rectified);
  /// Column sums of dy.
  void (*sumRows)(const float *dy, float *sums, int64_t rows, int64_t columns);
  /// dy ← dy where y > 0, else 0; and the column sums of the result.
  void (*rectifyGradient)(
      float *dy, const float *y, float *sums, int64_t rows, int64_t columns);
  /// y = u Φ(u) for u = x + bias, Φ the normal distribution; x ← the slope Φ(u) + u φ(u).
  void (*gelu)(float *x, const float *bias, float *y, int64_t rows, int64_t columns);
  /// y = u (1 + tanh v) / 2 for u = x + bias, v = √(2/π) (u + 0.044715 u³); x ← its slope.
  void (*geluTanh)(float *x, const float *bias, float *y, int64_t rows, int64_t columns);
  /// dy ← dy · slope; and the column sums of the result.
  void (*scaleGradient)(
      float *dy, const float *slope, float *sums, int64_t rows, int64_t columns);
  /// x ← x + bias + residual.
  void (*addResidual)(
      float *x, const float *bias, const float *residual, int64_t rows, int64_t columns);
  /// y = (x − mean) · scale · gain + shift by row; `moments` `[rows, 2]` takes mean and scale,
  /// which is 1 / √(variance + epsilon).
  void (*normalize)(
      const float *x, const float *gain, const float *shift, float *y, float *moments,
      int64_t rows, int64_t columns, float epsilon);
  /// dx = residual + the gradient of `normalize` with respect to x, from that with respect to y,
  /// dy; sets the gradients with respect to gain and shift as well. A residual of NULL is 0.
  void (*normalizeGradient)(
      const float *dy, const float *x, const float *moments, const float *gain,
      const float *residual, float *dx, float *gains, float *shifts, int64_t rows, int64_t columns);
  /// Scaled dot-product attention: y = softmax(q kᵀ / √width) v for each sequence and head.
  ///
  /// A row of qkv `[batch, tokens, 3, heads, width]` is a token's queries, keys and values; y is
  /// `[batch, tokens, heads, width]`; the probabilities are `[batch, heads, tokens, row()]`.
  void (*attend)(const Attention &extents, const float *qkv, float *probabilities, float *y);
  /// The gradient with respect to qkv, from the probabilities and the gradient with respect to y.
  void (*attendGradient)(
      const Attention &extents, const float *qkv, const float *probabilities, const float *dy,
      float *dqkv);
};

/// The kernels for this processor.
const Kernels &kernels();
/// The vector instructions that they were compiled for: "avx512", "avx2" or "base".
const char *kernelInstructions();
