#pragma once
#if !__has_include(<hdf5.h>)
#error "hdf5.h not found: run `make setup`"
#else
#include <hdf5.h>
#endif
