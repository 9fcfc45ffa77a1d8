// Box2D as the package box2d-py carries it reports broken assertions to Python before it throws
// b2AssertException. Without a Python there is nobody to report to, and the exception says it all.
#pragma once
#define PyErr_SetString(type, text)
