// Two settings of the process that together double the speed of small networks' training on some
// machines. Each has an off switch in the environment.
#include <climits>
#include <cstdlib>
#include <malloc.h>

// oneMKL, inside libtorch, takes its AVX-512 code only if this function says that the processor is
// Intel's. libtorch exports it, and the executable's own comes first. MKL still picks its code by
// the processor's feature bits, so on Intel nothing changes. GOALPOST_STOCK_MKL=1 keeps MKL's own
// answer for other processors.
extern "C" __attribute__((visibility("default"), used)) int mkl_serv_intel_cpu_true() {
  static const int answer = std::getenv("GOALPOST_STOCK_MKL") == nullptr;
  return answer;
}

// glibc gives each freed block over a threshold back to the kernel, and the next step of training
// pays for its pages again. GOALPOST_STOCK_MALLOC=1 leaves glibc as it is.
__attribute__((constructor)) static void keepHeap() {
  if (std::getenv("GOALPOST_STOCK_MALLOC") != nullptr) return;
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
}
