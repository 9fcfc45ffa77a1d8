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

struct Choice {
  const Kernels &table;
  const char *instructions;
};

Choice choice() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
    return {avx512::table, "avx512"};
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {avx2::table, "avx2"};
#endif
  return {base::table, "base"};
}

const Choice &chosen() {
  static const Choice made = choice();
  return made;
}

}  // namespace

const Kernels &kernels() { return chosen().table; }

const char *kernelInstructions() { return chosen().instructions; }
