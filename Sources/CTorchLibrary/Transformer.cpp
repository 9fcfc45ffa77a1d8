#if __has_include(<ATen/ATen.h>)
#include "Kernels.h"
#include "Networks.h"

#include <torch/csrc/autograd/custom_function.h>

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const float *read(const at::Tensor &tensor) { return tensor.const_data_ptr<float>(); }

float *write(const at::Tensor &tensor) { return tensor.mutable_data_ptr<float>(); }

/// ε of the normalisations.
constexpr float epsilon = 1e-5f;

/// The parameters in their order, and their gradients.
enum Parameter : int64_t {
  gain1, shift1, weightQKV, biasQKV, weightO, biasO, gain2, shift2, weight1, bias1, weight2, bias2,
  parameterCount
};

/// What the gradients need of the way forward; rows are those of all sequences.
struct Kept {
  at::Tensor x;              // [rows, D]
  at::Tensor moments1;       // [rows, 2]
  at::Tensor normal1;        // [rows, D]
  at::Tensor qkv;            // [rows, 3 D]
  at::Tensor probabilities;  // [batch, heads, tokens, row]
  at::Tensor attended;       // [rows, D]
  at::Tensor y;              // [rows, D]
  at::Tensor moments2;       // [rows, 2]
  at::Tensor normal2;        // [rows, D]
  at::Tensor slope;          // [rows, F], that of GELU; of a rectifier, its output
  at::Tensor wide;           // [rows, F]

  variable_list list() const {
    return {x, moments1, normal1, qkv, probabilities, attended, y, moments2, normal2, slope, wide};
  }

  explicit Kept(const variable_list &list, size_t from)
      : x(list[from]), moments1(list[from + 1]), normal1(list[from + 2]), qkv(list[from + 3]),
        probabilities(list[from + 4]), attended(list[from + 5]), y(list[from + 6]),
        moments2(list[from + 7]), normal2(list[from + 8]), slope(list[from + 9]),
        wide(list[from + 10]) {}

  Kept() = default;
};

Attention extents(const at::Tensor &x, int64_t heads, bool causal) {
  return {x.size(0), x.size(1), heads, x.size(2) / heads, causal};
}

at::Tensor outputs(
    const at::Tensor &input, at::TensorList p, const Attention &attention, bool rectified,
    Kept &kept) {
  const int64_t rows = input.size(0) * input.size(1), columns = input.size(2);
  const auto options = input.options().requires_grad(false);
  auto matrix = [&](int64_t count) { return at::empty({rows, count}, options); };

  kept.x = input.view({rows, columns});
  kept.moments1 = matrix(2);
  kept.normal1 = matrix(columns);
  kernels().normalize(
      read(kept.x), read(p[gain1]), read(p[shift1]), write(kept.normal1), write(kept.moments1),
      rows, columns, epsilon);
  kept.qkv = at::mm(kept.normal1, p[weightQKV].t());
  kernels().addBias(write(kept.qkv), read(p[biasQKV]), rows, 3 * columns, false);
  kept.probabilities =
      at::empty({attention.batch, attention.heads, attention.tokens, attention.row()}, options);
  kept.attended = matrix(columns);
  kernels().attend(attention, read(kept.qkv), write(kept.probabilities), write(kept.attended));

  kept.y = at::mm(kept.attended, p[weightO].t());
  kernels().addResidual(write(kept.y), read(p[biasO]), read(kept.x), rows, columns);
  kept.moments2 = matrix(2);
  kept.normal2 = matrix(columns);
  kernels().normalize(
      read(kept.y), read(p[gain2]), read(p[shift2]), write(kept.normal2), write(kept.moments2),
      rows, columns, epsilon);
  kept.slope = at::mm(kept.normal2, p[weight1].t());
  const int64_t hidden = kept.slope.size(1);
  if (rectified) {
    kernels().addBias(write(kept.slope), read(p[bias1]), rows, hidden, true);
    kept.wide = kept.slope;
  } else {
    kept.wide = at::empty_like(kept.slope);
    kernels().gelu(write(kept.slope), read(p[bias1]), write(kept.wide), rows, hidden);
  }
  auto z = at::mm(kept.wide, p[weight2].t());
  kernels().addResidual(write(z), read(p[bias2]), read(kept.y), rows, columns);
  return z.view(input.sizes());
}

struct Block : torch::autograd::Function<Block> {
  static at::Tensor forward(
      AutogradContext *context, const at::Tensor &x, at::TensorList parameters, int64_t heads,
      bool causal, bool rectified) {
    Kept kept;
    auto z = outputs(x, parameters, extents(x, heads, causal), rectified, kept);
    variable_list list(parameters.begin(), parameters.end());
    for (auto &tensor : kept.list()) list.push_back(tensor);
    context->save_for_backward(std::move(list));
    context->saved_data["heads"] = heads;
    context->saved_data["causal"] = causal;
    context->saved_data["rectified"] = rectified;
    return z;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    auto p = context->get_saved_variables();
    const Kept kept(p, parameterCount);
    auto &given = gradients[0];
    const int64_t rows = kept.x.size(0), columns = kept.x.size(1);
    const Attention attention = extents(
        given, context->saved_data["heads"].toInt(), context->saved_data["causal"].toBool());
    variable_list found(1 + parameterCount + 3);  // and none for the heads, the mask and the rectifier
    auto of = [&](Parameter parameter) -> float * {
      auto &gradient = found[1 + parameter];
      gradient = at::empty_like(p[parameter]);
      return write(gradient);
    };
    auto dense = [&](Parameter weight, const at::Tensor &dy, const at::Tensor &input) {
      found[1 + weight] = at::mm(dy.t(), input);
      return at::mm(dy, p[weight]);
    };

    auto dz = given.contiguous().view({rows, columns});
    kernels().sumRows(read(dz), of(bias2), rows, columns);
    auto dWide = dense(weight2, dz, kept.wide);
    const auto scale = context->saved_data["rectified"].toBool() ? kernels().rectifyGradient
                                                                 : kernels().scaleGradient;
    scale(write(dWide), read(kept.slope), of(bias1), rows, dWide.size(1));
    auto dNormal2 = dense(weight1, dWide, kept.normal2);
    float *gains = of(gain2), *shifts = of(shift2);
    auto dy = at::empty_like(kept.y);
    kernels().normalizeGradient(
        read(dNormal2), read(kept.y), read(kept.moments2), read(p[gain2]), read(dz), write(dy),
        gains, shifts, rows, columns);

    kernels().sumRows(read(dy), of(biasO), rows, columns);
    auto dAttended = dense(weightO, dy, kept.attended);
    auto dQKV = at::empty_like(kept.qkv);
    kernels().attendGradient(
        attention, read(kept.qkv), read(kept.probabilities), read(dAttended), write(dQKV));
    kernels().sumRows(read(dQKV), of(biasQKV), rows, 3 * columns);
    auto dNormal1 = dense(weightQKV, dQKV, kept.normal1);
    gains = of(gain1), shifts = of(shift1);
    auto dx = at::empty_like(kept.x);
    kernels().normalizeGradient(
        read(dNormal1), read(kept.x), read(kept.moments1), read(p[gain1]), read(dy),
        write(dx), gains, shifts, rows, columns);
    found[0] = dx.view(given.sizes());
    return found;
  }
};

}  // namespace

at::Tensor transformerBlock(
    const at::Tensor &x, at::TensorList parameters, int64_t heads, bool causal, bool rectified) {
  TORCH_CHECK(parameters.size() == parameterCount, "a block has 12 parameters");
  auto input = x.contiguous();
  if (at::GradMode::is_enabled()) return Block::apply(input, parameters, heads, causal, rectified);
  Kept kept;
  return outputs(input, parameters, extents(input, heads, causal), rectified, kept);
}
#endif
