// Networks as one recorded operator each, with their gradients in closed form.
#pragma once
#include <ATen/ATen.h>

/// What stands between two dense layers; GELU is by tanh (`Kernels::geluTanh`).
enum class Between : int64_t { rectifier, gelu, normalizedGelu };

/// ε of the normalisation after GELU.
constexpr float denseEpsilon = 1e-6f;

/// Dense layers, y = x Wᵀ + b each, with `between` between them and nothing after the last.
///
/// `x` is `[rows, inputs]` and the parameters are weight `[outputs, inputs]` and bias `[outputs]`
/// of each layer in turn, with a normalisation also gain and shift `[outputs]` of each but the
/// last. All are of 32-bit numbers on the processor.
at::Tensor dense(const at::Tensor &x, at::TensorList parameters, Between between);

/// A transformer's block with the normalisation first:
///
///     y = x + O attention(QKV norm₁(x)),   z = y + F₂ gelu(F₁ norm₂(y))
///
/// if `rectified`, max(0, u) stands in the place of gelu(u). `x` is `[batch, tokens, D]`. The
/// parameters are norm₁'s gain and shift, weight and bias of QKV `[3 D, D]` and of O `[D, D]`. Then
/// come norm₂'s gain and shift, and weight and bias of F₁ `[F, D]` and F₂ `[D, F]`. All are 32-bit
/// numbers on the processor.
at::Tensor transformerBlock(
    const at::Tensor &x, at::TensorList parameters, int64_t heads, bool causal, bool rectified);

/// The length of the union of the intervals from x[k] to y[k], of those where x[k] < y[k], in each
/// of `parts` parts of two rows: `[rows, parts]` of `[rows, columns]`, as one recorded operator.
at::Tensor intervalLengths(const at::Tensor &x, const at::Tensor &y, int64_t parts);
