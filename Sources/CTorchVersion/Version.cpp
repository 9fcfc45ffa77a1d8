#include "CTorchVersion.h"

#include <torch/version.h>

const char *ctorch_built_version(void) { return TORCH_VERSION; }
