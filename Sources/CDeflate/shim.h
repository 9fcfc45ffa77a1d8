#pragma once
#if !__has_include(<libdeflate.h>)
#error "libdeflate.h not found: run `make setup`"
#else
#include <libdeflate.h>
#include <zlib.h>  // for crc32_combine, which libdeflate has not
#endif
