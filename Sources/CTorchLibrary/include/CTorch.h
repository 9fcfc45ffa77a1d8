// libtorch for Swift: reference-counted tensors, one call into the operator dispatcher, gradients.
//
// The functions are in a library of their own, since loading libtorch takes half a second. Whoever
// needs them loads `CTorchLibraryName` and calls them through its table `CTorchTableName`.
//
// No C++ exception passes this face. A function that fails returns NULL, -1 or false and leaves a
// message of its thread's in ctorch_error().
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// A c10::TensorImpl. Where one is returned, the caller owns a reference to it.
typedef struct CTorchImplementation *CTorchTensor;
/// An operator that the dispatcher has found; it is never freed.
typedef const struct CTorchHandle *CTorchOperator;

/// What an argument is.
typedef enum __attribute__((enum_extensibility(closed))) : int32_t {
  CTorchKindNone,
  CTorchKindTensor,    // bits: CTorchTensor
  CTorchKindInteger,   // bits
  CTorchKindNumber,    // bits of a double
  CTorchKindTruth,     // bits: 0 or 1
  CTorchKindIntegers,  // list: int64_t
  CTorchKindTensors,   // list: CTorchTensor
  CTorchKindDevice,    // list: characters
  CTorchKindText,      // list: characters
} CTorchKind;

/// An argument of an operator.
typedef struct {
  CTorchKind kind;
  int32_t count;  // of the list
  int64_t bits;
  const void *_Nullable list;
} CTorchValue;

/// This thread's last error.
const char *ctorch_error(void);
/// Why the libtorch that was loaded cannot be used, or NULL. To be called first.
const char *_Nullable ctorch_start(void);
/// The version that this file was compiled for, such as "2.13.0".
const char *ctorch_version(void);
/// The vector instructions that libtorch and the kernels here have chosen for this processor.
const char *ctorch_instructions(void);

/// Gives up a reference.
void ctorch_release(CTorchTensor tensor);
/// A tensor where this thread makes them, with a copy of `data`, or with arbitrary contents where
/// that is NULL.
CTorchTensor _Nullable ctorch_make(
    const void *_Nullable data, const int64_t *sizes, int32_t dimensions, int32_t type);
/// Copies a tensor's values, in row-major order and from any device; `bytes` must be their size.
bool ctorch_read(CTorchTensor tensor, void *to, size_t bytes);
/// The values themselves of a contiguous tensor on the CPU; NULL for others.
void *_Nullable ctorch_data(CTorchTensor tensor);
/// The number of dimensions; their sizes go to `sizes` unless that is NULL.
int32_t ctorch_shape(CTorchTensor tensor, int64_t *_Nullable sizes);
/// The at::ScalarType.
int32_t ctorch_type(CTorchTensor tensor);

/// Finds an operator by its name with namespace and by its overload, which may be "".
CTorchOperator _Nullable ctorch_find(const char *name, const char *overload);
/// Calls an operator; arguments left out take the defaults of its schema. Returns how many tensors
/// it gave, or -1.
int32_t ctorch_call(
    CTorchOperator op, const CTorchValue *_Nullable arguments, int32_t count,
    CTorchTensor _Nullable *_Nonnull results, int32_t room);

/// The gradients of a scalar; NULL for an input that it does not depend on.
bool ctorch_gradients(
    CTorchTensor of, const CTorchTensor _Nonnull *_Nonnull inputs, int32_t count,
    CTorchTensor _Nullable *_Nonnull gradients);
/// Dense layers with rectifiers or GELU by tanh between them, as one operator with its gradients in
/// closed form.
///
/// `x` is `[rows, inputs]`; the parameters are weight `[outputs, inputs]` and bias `[outputs]` of
/// each layer in turn. With `normalized`, which needs `gelu`, a normalisation of each row (ε 1e-6)
/// follows GELU, and its gain and shift `[outputs]` follow the layer's. All are of 32-bit numbers
/// on the CPU.
CTorchTensor _Nullable ctorch_dense(
    CTorchTensor x, const CTorchTensor _Nonnull *_Nonnull parameters, int32_t count, bool gelu,
    bool normalized);
/// A transformer's block with the normalisation first, in the same manner.
///
/// `x` is `[batch, tokens, D]`. The 12 parameters are gain and shift, weight and bias of queries,
/// keys and values `[3 D, D]`, and those of the layer after the attention `[D, D]`. Then come gain
/// and shift, and weight and bias of the two dense layers `[F, D]` and `[D, F]`, with GELU between
/// these, or a rectifier.
CTorchTensor _Nullable ctorch_transformer_block(
    CTorchTensor x, const CTorchTensor _Nonnull *_Nonnull parameters, int32_t heads, bool causal,
    bool rectified);
/// The length of the union of the intervals from x[k] to y[k], of those where x[k] < y[k], in each
/// of `parts` parts of two rows: `[rows, parts]` of `[rows, columns]`, in the same manner.
CTorchTensor _Nullable ctorch_interval_lengths(CTorchTensor x, CTorchTensor y, int32_t parts);
/// Says whether this thread records operators for gradients; returns what it did before.
bool ctorch_record(bool on);
/// Says whether gradients with respect to a tensor will be asked for.
bool ctorch_track(CTorchTensor tensor, bool on);

/// Threads that one operator may use when called from this thread.
int32_t ctorch_threads(void);
void ctorch_set_threads(int32_t count);
/// Where this thread makes tensors: the number of a CUDA device, or -1 for the processor's memory.
int32_t ctorch_place(void);
void ctorch_set_place(int32_t cuda);
/// Loads libtorch_cuda.so from beside libtorch_cpu.so.
bool ctorch_load_cuda(void);

/// One dense layer for one row: y = f(x·W + b), f the rectifier or nothing.
///
/// `packed` is W `[inputs, outputs]` in panels of 32 outputs: panel p holds, for each input i, the
/// 32 numbers W[i, 32p...]; a last panel is filled up with zeros, and `bias` and `y` as well. Each
/// output is summed in the order of the inputs with separate multiplications and additions, so the
/// bits are the same on every processor.
void ctorch_row(
    const float *packed, const float *bias, const float *x, int32_t inputs, int32_t panels,
    bool rectified, float *y);

/// Every function above.
#define CTORCH_FUNCTIONS(X) \
  X(error) X(start) X(version) X(instructions) X(release) X(make) X(read) X(data) X(shape) \
  X(type) X(find) X(call) X(gradients) X(dense) X(transformer_block) X(interval_lengths) \
  X(record) X(track) X(threads) X(set_threads) X(place) X(set_place) X(load_cuda) X(row)
/// The functions of a library that was loaded.
typedef struct {
#define CTORCH_MEMBER(name) __typeof__(ctorch_##name) *name;
  CTORCH_FUNCTIONS(CTORCH_MEMBER)
#undef CTORCH_MEMBER
} CTorchTable;

#define CTorchLibraryName "libCTorchLibrary.so"
#define CTorchTableName "ctorch_table"

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
