// Box2D as the package box2d-py carries it reports broken assertions to Python before it throws
// b2AssertException. This program has no Python to report to, and the exception says everything.
#pragma once
#define PyErr_SetString(type, text)
