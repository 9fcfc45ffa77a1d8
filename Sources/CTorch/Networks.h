// Networks as one recorded operator each, with their gradients in closed form.
#pragma once
#include <ATen/ATen.h>

/// Dense layers with rectifiers between them and nothing after the last: y = x Wᵀ + b each.
///
/// `x` is `[rows, inputs]` and the parameters are weight `[outputs, inputs]` and bias `[outputs]` of
/// each layer in turn. All are of 32-bit numbers on the processor.
at::Tensor dense(const at::Tensor &x, at::TensorList parameters);

/// A transformer's block with the normalisation first:
///
///     y = x + O attention(QKV norm₁(x)),   z = y + F₂ gelu(F₁ norm₂(y))
///
/// where `rectified`, max(0, u) stands in the place of gelu(u).
/// `x` is `[batch, tokens, D]` and the parameters are norm₁'s gain and shift, weight and bias of QKV
/// `[3 D, D]` and of O `[D, D]`, norm₂'s gain and shift, and weight and bias of F₁ `[F, D]` and F₂
/// `[D, F]`. All are of 32-bit numbers on the processor.
at::Tensor transformerBlock(
    const at::Tensor &x, at::TensorList parameters, int64_t heads, bool causal, bool rectified);
