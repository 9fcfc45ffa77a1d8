#pragma once
#if !__has_include(<openssl/evp.h>)
#error "OpenSSL's headers not found: run `make setup`"
#else
#include <openssl/evp.h>
#endif
