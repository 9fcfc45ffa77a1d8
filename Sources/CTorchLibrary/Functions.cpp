#if !__has_include(<ATen/ATen.h>)
#error "libtorch not found: run `make setup`, or set TORCH_HOME to an installed torch package, as printed by: python3 -c 'import torch; print(torch.__path__[0])'"
#else
#include "CTorch.h"

#include "Kernels.h"
#include "Networks.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/GradMode.h>
#include <dlfcn.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/headeronly/version.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

thread_local std::string message;

/// Where this thread makes tensors: the number of a CUDA device, or -1 for the processor's memory.
thread_local int32_t place = -1;

// An at::Tensor is one pointer to its implementation, so a handle can be looked at as a tensor.
static_assert(sizeof(at::Tensor) == sizeof(CTorchTensor));

const at::Tensor &view(const CTorchTensor &tensor) {
  return reinterpret_cast<const at::Tensor &>(tensor);
}

CTorchTensor give(at::Tensor tensor) {
  if (!tensor.defined()) return nullptr;
  return reinterpret_cast<CTorchTensor>(tensor.unsafeReleaseTensorImpl());
}

/// Runs `body`; an exception becomes this thread's message and the result `bad`.
template <class Result, class Body> Result guarded(Result bad, Body body) noexcept {
  try {
    return body();
  } catch (const c10::Error &error) {
    message = error.what_without_backtrace();
  } catch (const std::exception &error) {
    message = error.what();
  } catch (...) {
    message = "a C++ exception of an unknown type";
  }
  return bad;
}

c10::IValue boxed(const CTorchValue &value) {
  switch (value.kind) {
  case CTorchKindNone: return {};
  case CTorchKindTensor: return view(reinterpret_cast<CTorchTensor>(value.bits));
  case CTorchKindInteger: return value.bits;
  case CTorchKindTruth: return value.bits != 0;
  case CTorchKindNumber: {
    double number;
    std::memcpy(&number, &value.bits, sizeof number);
    return number;
  }
  case CTorchKindIntegers:
    return at::IntArrayRef(static_cast<const int64_t *>(value.list), value.count);
  case CTorchKindText: return std::string(static_cast<const char *>(value.list), value.count);
  case CTorchKindDevice:
    return at::Device(std::string(static_cast<const char *>(value.list), value.count));
  case CTorchKindTensors: {
    auto from = static_cast<const CTorchTensor *>(value.list);
    c10::List<at::Tensor> list;
    list.reserve(value.count);
    for (int32_t i = 0; i < value.count; i++) list.push_back(view(from[i]));
    return list;
  }
  }
  return {};
}

}  // namespace

extern "C" {

const char *ctorch_error() { return message.c_str(); }

const char *ctorch_start() {
  const uint64_t version = aoti_torch_abi_version();
  const uint64_t major = version >> 56, minor = version >> 48 & 255;
  if (major == TORCH_VERSION_MAJOR && minor == TORCH_VERSION_MINOR) return nullptr;
  // Minor versions of libtorch are not compatible with each other: they crash.
  message = "built for libtorch " + std::to_string(TORCH_VERSION_MAJOR) + "." +
            std::to_string(TORCH_VERSION_MINOR) + ", but loaded " + std::to_string(major) + "." +
            std::to_string(minor) + ": build again with this TORCH_HOME, or run `make setup`";
  return message.c_str();
}

const char *ctorch_version() { return TORCH_VERSION; }

const char *ctorch_instructions() {
  static const std::string names =
      "libtorch " + at::get_cpu_capability() + ", kernels " + kernelInstructions();
  return names.c_str();
}

void ctorch_release(CTorchTensor tensor) {
  c10::raw::intrusive_ptr::decref(reinterpret_cast<c10::TensorImpl *>(tensor));
}

CTorchTensor ctorch_make(
    const void *data, const int64_t *sizes, int32_t dimensions, int32_t type) {
  return guarded<CTorchTensor>(nullptr, [&] {
    auto made = at::empty(at::IntArrayRef(sizes, dimensions), static_cast<at::ScalarType>(type));
    if (data && made.nbytes() > 0) std::memcpy(made.data_ptr(), data, made.nbytes());
    if (place >= 0) made = made.to(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(place)));
    return give(std::move(made));
  });
}

bool ctorch_read(CTorchTensor tensor, void *to, size_t bytes) {
  return guarded(false, [&] {
    auto values = view(tensor).detach().to(at::kCPU).contiguous();
    TORCH_CHECK(
        values.nbytes() == bytes, "the tensor has ", values.nbytes(), " bytes, not ", bytes);
    if (bytes > 0) std::memcpy(to, values.data_ptr(), bytes);
    return true;
  });
}

void *ctorch_data(CTorchTensor tensor) {
  auto &values = view(tensor);
  return guarded<void *>(nullptr, [&]() -> void * {
    return values.is_cpu() && values.is_contiguous() ? values.data_ptr() : nullptr;
  });
}

int32_t ctorch_shape(CTorchTensor tensor, int64_t *sizes) {
  auto shape = view(tensor).sizes();
  if (sizes) std::copy(shape.begin(), shape.end(), sizes);
  return static_cast<int32_t>(shape.size());
}

int32_t ctorch_type(CTorchTensor tensor) {
  return static_cast<int32_t>(view(tensor).scalar_type());
}

CTorchOperator ctorch_find(const char *name, const char *overload) {
  return guarded<CTorchOperator>(nullptr, [&] {
    auto found = c10::Dispatcher::singleton().findSchemaOrThrow(name, overload);
    return reinterpret_cast<CTorchOperator>(new c10::OperatorHandle(std::move(found)));
  });
}

int32_t ctorch_call(
    CTorchOperator op, const CTorchValue *arguments, int32_t count, CTorchTensor *results,
    int32_t room) {
  int32_t made = 0;
  auto status = guarded<int32_t>(-1, [&] {
    auto &handle = *reinterpret_cast<const c10::OperatorHandle *>(op);
    auto &formal = handle.schema().arguments();
    torch::jit::Stack stack;
    stack.reserve(formal.size());
    for (int32_t i = 0; i < count; i++) stack.push_back(boxed(arguments[i]));
    for (size_t i = count; i < formal.size(); i++) {
      TORCH_CHECK(
          formal[i].default_value(), handle.schema().name(), ": no value for ", formal[i].name());
      stack.push_back(*formal[i].default_value());
    }
    handle.callBoxed(stack);
    auto add = [&](at::Tensor tensor) {
      TORCH_CHECK(made < room, handle.schema().name(), ": more than ", room, " results");
      results[made++] = give(std::move(tensor));
    };
    for (auto &value : stack) {
      if (value.isTensor()) {
        add(std::move(value).toTensor());
      } else if (value.isTensorList()) {
        for (at::Tensor tensor : value.toTensorList()) add(std::move(tensor));
      }
    }
    return made;
  });
  if (status < 0) {
    for (int32_t i = 0; i < made; i++) {
      if (results[i]) ctorch_release(results[i]);
    }
  }
  return status;
}

bool ctorch_gradients(
    CTorchTensor of, const CTorchTensor *inputs, int32_t count, CTorchTensor *gradients) {
  return guarded(false, [&] {
    std::vector<at::Tensor> variables;
    variables.reserve(count);
    for (int32_t i = 0; i < count; i++) variables.push_back(view(inputs[i]));
    auto found = torch::autograd::grad(
        {view(of)}, variables, /*grad_outputs=*/{}, /*retain_graph=*/false,
        /*create_graph=*/false, /*allow_unused=*/true);
    for (int32_t i = 0; i < count; i++) gradients[i] = give(std::move(found[i]));
    return true;
  });
}

CTorchTensor ctorch_dense(
    CTorchTensor x, const CTorchTensor *parameters, int32_t count, bool gelu, bool normalized) {
  return guarded<CTorchTensor>(nullptr, [&] {
    const auto between =
        !gelu ? Between::rectifier : normalized ? Between::normalizedGelu : Between::gelu;
    return give(dense(
        view(x), {reinterpret_cast<const at::Tensor *>(parameters), size_t(count)}, between));
  });
}

CTorchTensor ctorch_transformer_block(
    CTorchTensor x, const CTorchTensor *parameters, int32_t heads, bool causal, bool rectified) {
  return guarded<CTorchTensor>(nullptr, [&] {
    return give(transformerBlock(
        view(x), {reinterpret_cast<const at::Tensor *>(parameters), 12}, heads, causal,
        rectified));
  });
}

CTorchTensor ctorch_interval_lengths(CTorchTensor x, CTorchTensor y, int32_t parts) {
  return guarded<CTorchTensor>(
      nullptr, [&] { return give(intervalLengths(view(x), view(y), parts)); });
}

bool ctorch_record(bool on) {
  const bool before = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(on);
  return before;
}

bool ctorch_track(CTorchTensor tensor, bool on) {
  return guarded(false, [&] {
    view(tensor).set_requires_grad(on);
    return true;
  });
}

int32_t ctorch_threads() { return at::get_num_threads(); }

void ctorch_set_threads(int32_t count) { at::set_num_threads(count); }

void ctorch_set_place(int32_t cuda) { place = cuda; }

int32_t ctorch_place() { return place; }

bool ctorch_load_cuda() {
  return guarded(false, [&] {
    if (at::hasCUDA()) return true;
    Dl_info place;
    TORCH_CHECK(dladdr(reinterpret_cast<void *>(&at::globalContext), &place), "no libtorch_cpu.so");
    std::string path(place.dli_fname);
    path = path.substr(0, path.rfind('/')) + "/libtorch_cuda.so";
    TORCH_CHECK(
        dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL),
        "CUDA needs a CUDA build of libtorch (name it with TORCH_HOME): ", dlerror());
    TORCH_CHECK(at::hasCUDA(), "libtorch_cuda.so is loaded, but there is no CUDA device or driver");
    return true;
  });
}

/// What CTorch.h calls CTorchTableName.
extern const CTorchTable ctorch_table;
const CTorchTable ctorch_table = {
#define MEMBER(name) ctorch_##name,
    CTORCH_FUNCTIONS(MEMBER)
#undef MEMBER
};

}  // extern "C"
#endif
