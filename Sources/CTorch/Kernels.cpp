// `Kernels`, compiled for each set of vector instructions, and the choice among them at run time.
#include "Kernels.h"

#include <cstring>
#include <vector>

namespace {

namespace base {
#include "KernelBodies.h"
}

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
namespace avx2 {
#include "KernelBodies.h"
}
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma"))), apply_to = function)
namespace avx512 {
#include "KernelBodies.h"
}
#pragma clang attribute pop
#endif

const Kernels &choice() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
    return avx512::table;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::table;
#endif
  return base::table;
}

}  // namespace

const Kernels &kernels() {
  static const Kernels &chosen = choice();
  return chosen;
}
