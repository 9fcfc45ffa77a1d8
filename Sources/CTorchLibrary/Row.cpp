// A dense layer for a single row, on any x86-64 or ARM processor and with the same bits on each.
#include "CTorch.h"

#include <cstring>

// Contraction to fused multiply-add would change the last bits from one processor to another.
#pragma clang fp contract(off)

namespace {
constexpr int width = 32;
typedef float Panel __attribute__((vector_size(width * sizeof(float)), aligned(4)));
}  // namespace

extern "C" void ctorch_row(
    const float *packed, const float *bias, const float *x, int32_t inputs, int32_t panels,
    bool rectified, float *y) {
  for (int32_t p = 0; p < panels; p++) {
    Panel sum;
    std::memcpy(&sum, bias + p * width, sizeof sum);
    for (int32_t i = 0; i < inputs; i++, packed += width) {
      sum += x[i] * *reinterpret_cast<const Panel *>(packed);
    }
    if (rectified) sum = sum <= 0 ? Panel{} : sum;  // not-a-number stays what it is
    std::memcpy(y + p * width, &sum, sizeof sum);
  }
}
