#if __has_include(<ATen/ATen.h>)
#include "Kernels.h"
#include "Networks.h"

#include <torch/csrc/autograd/custom_function.h>

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The outputs; those of every layer but the last are appended to `kept`, if there is one.
at::Tensor outputs(const at::Tensor &x, at::TensorList parameters, variable_list *kept) {
  at::Tensor y = x;
  for (size_t k = 0; k < parameters.size(); k += 2) {
    const bool last = k + 2 == parameters.size();
    y = at::mm(y, parameters[k].t());
    kernels().addBias(
        y.mutable_data_ptr<float>(), parameters[k + 1].const_data_ptr<float>(), y.size(0),
        y.size(1), !last);
    if (kept && !last) kept->push_back(y);
  }
  return y;
}

struct Dense : torch::autograd::Function<Dense> {
  static at::Tensor forward(
      AutogradContext *context, const at::Tensor &x, at::TensorList parameters) {
    variable_list kept(parameters.begin(), parameters.end());
    kept.push_back(x);
    auto y = outputs(x, parameters, &kept);
    context->save_for_backward(std::move(kept));
    return y;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    auto kept = context->get_saved_variables();  // parameters, then inputs of each layer
    const size_t layers = kept.size() / 3;
    variable_list found(1 + 2 * layers);
    auto dy = gradients[0].contiguous();
    for (size_t k = layers; k-- > 0;) {
      auto &weight = kept[2 * k], &input = kept[2 * layers + k];
      auto sums = at::empty({weight.size(0)}, weight.options().requires_grad(false));
      if (k + 1 < layers) {
        kernels().rectifyGradient(
            dy.mutable_data_ptr<float>(), kept[2 * layers + k + 1].const_data_ptr<float>(),
            sums.mutable_data_ptr<float>(), dy.size(0), dy.size(1));
      } else {
        kernels().sumRows(
            dy.const_data_ptr<float>(), sums.mutable_data_ptr<float>(), dy.size(0), dy.size(1));
      }
      if (context->needs_input_grad(1 + 2 * k)) found[1 + 2 * k] = at::mm(dy.t(), input);
      found[2 + 2 * k] = std::move(sums);
      if (k > 0 || context->needs_input_grad(0)) dy = at::mm(dy, weight);
    }
    if (context->needs_input_grad(0)) found[0] = std::move(dy);
    return found;
  }
};

}  // namespace

at::Tensor dense(const at::Tensor &x, at::TensorList parameters) {
  auto rows = x.contiguous();
  if (!at::GradMode::is_enabled()) return outputs(rows, parameters, nullptr);
  return Dense::apply(rows, parameters);
}
#endif
