#pragma once
#if !__has_include(<mujoco/mujoco.h>)
#error "MuJoCo not found: run `make setup`, or set GOALPOST_DEPS to the folder that it filled"
#else
#include <mujoco/mujoco.h>
#endif
