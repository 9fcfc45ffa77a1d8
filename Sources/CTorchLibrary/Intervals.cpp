#if __has_include(<ATen/ATen.h>)
#include "Networks.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The length of the union of the intervals from x[k] to y[k], of those where x[k] < y[k].
///
/// Where each stretch of it begins, `starts` becomes −1, and where it ends, `ends` becomes 1: the
/// slopes of the length with respect to x and y.
float length(
    const float *x, const float *y, int64_t count, std::vector<int32_t> &order, float *starts,
    float *ends) {
  order.clear();
  for (int64_t k = 0; k < count; k++) {
    if (!(x[k] < y[k])) continue;
    // By insertion: there are few.
    order.push_back(int32_t(k));
    for (size_t p = order.size() - 1; p > 0 && x[order[p]] < x[order[p - 1]]; p--) {
      std::swap(order[p], order[p - 1]);
    }
  }
  float sum = 0;
  for (size_t p = 0; p < order.size();) {
    const int32_t first = order[p];
    int32_t last = first;
    for (p++; p < order.size() && x[order[p]] <= y[last]; p++) {
      if (y[order[p]] > y[last]) last = order[p];
    }
    sum += y[last] - x[first];
    if (starts) starts[first] = -1, ends[last] = 1;
  }
  return sum;
}

at::Tensor lengths(
    const at::Tensor &x, const at::Tensor &y, int64_t parts, float *starts, float *ends) {
  const int64_t rows = x.size(0), width = x.size(1), count = width / parts;
  auto sums = at::empty({rows, parts}, x.options().requires_grad(false));
  const float *from = x.const_data_ptr<float>(), *to = y.const_data_ptr<float>();
  float *sum = sums.mutable_data_ptr<float>();
  std::vector<int32_t> order;
  order.reserve(count);
  for (int64_t part = 0; part < rows * parts; part++) {
    const int64_t place = part * count;
    sum[part] = length(
        from + place, to + place, count, order, starts ? starts + place : nullptr,
        ends ? ends + place : nullptr);
  }
  return sums;
}

struct Intervals : torch::autograd::Function<Intervals> {
  static at::Tensor forward(
      AutogradContext *context, const at::Tensor &x, const at::Tensor &y, int64_t parts) {
    const auto options = x.options().requires_grad(false);
    auto starts = at::zeros(x.sizes(), options), ends = at::zeros(x.sizes(), options);
    auto sums = lengths(
        x, y, parts, starts.mutable_data_ptr<float>(), ends.mutable_data_ptr<float>());
    context->save_for_backward({starts, ends});
    return sums;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    auto slopes = context->get_saved_variables();
    const auto &given = gradients[0];
    variable_list found(3);  // and none for the number of parts
    for (size_t k = 0; k < 2; k++) {
      if (!context->needs_input_grad(k)) continue;
      const int64_t rows = given.size(0), parts = given.size(1);
      auto shaped = slopes[k].view({rows, parts, slopes[k].size(1) / parts});
      found[k] = (shaped * given.unsqueeze(-1)).view(slopes[k].sizes());
    }
    return found;
  }
};

}  // namespace

at::Tensor intervalLengths(const at::Tensor &x, const at::Tensor &y, int64_t parts) {
  TORCH_CHECK(
      x.sizes() == y.sizes() && x.dim() == 2 && parts > 0 && x.size(1) % parts == 0,
      "intervals between rows of one shape, in parts of one length");
  auto from = x.contiguous(), to = y.contiguous();
  if (!at::GradMode::is_enabled()) return lengths(from, to, parts, nullptr, nullptr);
  return Intervals::apply(from, to, parts);
}
#endif
