// The version of libtorch that this program was built for: known without the library itself.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

// Such as "2.13.0".
const char *ctorch_built_version(void);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
