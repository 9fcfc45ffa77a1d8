// A context of OpenGL without a display, by EGL or, failing that, by OSMesa; both are looked for
// while running, so that everything but pictures works without them.
#pragma once

#pragma clang assume_nonnull begin

/// A context of OpenGL.
typedef struct OffscreenContext OffscreenContext;

/// Makes a context and makes it current on this thread; on failure null, and `error` says why.
OffscreenContext *_Nullable offscreen_make(char *error, int room);
/// Makes the context current on this thread; 0 on failure.
int offscreen_make_current(OffscreenContext *context);
/// Copies the lower left of the buffer that is drawn to: rows from the bottom, four bytes a pixel.
void offscreen_read(const OffscreenContext *context, int width, int height, void *pixels);
/// What the context was made by: "EGL" or "OSMesa".
const char *offscreen_kind(const OffscreenContext *context);
/// Frees the context.
void offscreen_free(OffscreenContext *context);

#pragma clang assume_nonnull end
