#if __has_include(<ATen/ATen.h>)
#include "Kernels.h"
#include "Networks.h"

#include <torch/csrc/autograd/custom_function.h>

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const float *read(const at::Tensor &tensor) { return tensor.const_data_ptr<float>(); }

float *write(const at::Tensor &tensor) { return tensor.mutable_data_ptr<float>(); }

/// How many tensors a layer but the last has, and how many its gradients need.
struct Counts {
  size_t parameters, kept;
};

/// Kept are the layer's input and, of a rectifier, its output; of GELU its slope; of a
/// normalisation besides what is normalised, and its moments.
Counts counts(Between between) {
  switch (between) {
  case Between::normalizedGelu: return {4, 4};
  default: return {2, 2};
  }
}

/// The outputs; what the gradients need is appended to `kept`, if there is one.
at::Tensor outputs(
    const at::Tensor &x, at::TensorList parameters, Between between, variable_list *kept) {
  auto keep = [&](const at::Tensor &tensor) {
    if (kept) kept->push_back(tensor);
  };
  at::Tensor y = x;
  for (size_t k = 0;; k += counts(between).parameters) {
    keep(y);
    auto product = at::mm(y, parameters[k].t());
    const int64_t rows = product.size(0), columns = product.size(1);
    const float *bias = read(parameters[k + 1]);
    const bool last = k + 2 == parameters.size();
    if (last || between == Between::rectifier) {
      kernels().addBias(write(product), bias, rows, columns, !last);
      if (last) return product;
      y = product;
      keep(y);
      continue;
    }
    auto curve = at::empty_like(product);
    kernels().geluTanh(write(product), bias, write(curve), rows, columns);
    keep(product);
    y = curve;
    if (between == Between::normalizedGelu) {
      auto moments = at::empty({rows, 2}, product.options());
      y = at::empty_like(curve);
      kernels().normalize(
          read(curve), read(parameters[k + 2]), read(parameters[k + 3]), write(y), write(moments),
          rows, columns, denseEpsilon);
      keep(curve);
      keep(moments);
    }
  }
}

struct Dense : torch::autograd::Function<Dense> {
  static at::Tensor forward(
      AutogradContext *context, const at::Tensor &x, at::TensorList parameters, int64_t between) {
    variable_list kept(parameters.begin(), parameters.end());
    auto y = outputs(x, parameters, Between(between), &kept);
    context->save_for_backward(std::move(kept));
    context->saved_data["between"] = between;
    context->saved_data["parameters"] = int64_t(parameters.size());
    return y;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    auto kept = context->get_saved_variables();  // parameters, then what each layer keeps
    const auto between = Between(context->saved_data["between"].toInt());
    const size_t parameters = context->saved_data["parameters"].toInt();
    const auto of = counts(between);
    variable_list found(1 + parameters + 1);  // and none for what stands between
    auto dy = gradients[0].contiguous();
    for (size_t layer = 1 + (parameters - 2) / of.parameters; layer-- > 0;) {
      const size_t first = layer * of.parameters;
      const auto *own = &kept[parameters + layer * of.kept];
      const bool last = first + 2 == parameters;
      const int64_t rows = dy.size(0), columns = dy.size(1);
      auto sums = at::empty({columns}, dy.options());
      if (last) {
        kernels().sumRows(read(dy), write(sums), rows, columns);
      } else if (between == Between::rectifier) {
        kernels().rectifyGradient(write(dy), read(own[1]), write(sums), rows, columns);
      } else {
        if (between == Between::normalizedGelu) {
          auto dCurve = at::empty_like(dy);
          auto &gains = found[1 + first + 2] = at::empty_like(sums);
          auto &shifts = found[1 + first + 3] = at::empty_like(sums);
          kernels().normalizeGradient(
              read(dy), read(own[2]), read(own[3]), read(kept[first + 2]), nullptr, write(dCurve),
              write(gains), write(shifts), rows, columns);
          dy = dCurve;
        }
        kernels().scaleGradient(write(dy), read(own[1]), write(sums), rows, columns);
      }
      if (context->needs_input_grad(1 + first)) found[1 + first] = at::mm(dy.t(), own[0]);
      found[1 + first + 1] = std::move(sums);
      if (layer > 0 || context->needs_input_grad(0)) dy = at::mm(dy, kept[first]);
    }
    if (context->needs_input_grad(0)) found[0] = std::move(dy);
    return found;
  }
};

}  // namespace

at::Tensor dense(const at::Tensor &x, at::TensorList parameters, Between between) {
  auto rows = x.contiguous();
  if (!at::GradMode::is_enabled()) return outputs(rows, parameters, between, nullptr);
  return Dense::apply(rows, parameters, static_cast<int64_t>(between));
}
#endif
