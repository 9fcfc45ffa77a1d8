#if !__has_include(<EGL/egl.h>)
#error "EGL's headers not found: run `make setup`"
#else
#include "CEGL.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

struct OffscreenContext {
  // EGL
  EGLDisplay display;
  EGLContext context;
  EGLBoolean (*make_current)(EGLDisplay, EGLSurface, EGLSurface, EGLContext);
  EGLBoolean (*destroy)(EGLDisplay, EGLContext);
  // OpenGL
  void (*read_pixels)(int, int, int, int, unsigned, unsigned, void *);
  // OSMesa
  void *mesa;
  unsigned char *buffer;
  unsigned char (*mesa_make_current)(void *, void *, unsigned, int, int);
  void (*mesa_destroy)(void *);
};

enum { mesa_width = 64, mesa_height = 64, unsigned_byte = 0x1401, rgba = 0x1908 };

// The first device or platform that gives a display which starts.
static EGLDisplay start_display(void *(*address)(const char *), EGLBoolean (*initialize)(EGLDisplay, EGLint *, EGLint *)) {
  PFNEGLQUERYDEVICESEXTPROC devices = (PFNEGLQUERYDEVICESEXTPROC)address("eglQueryDevicesEXT");
  PFNEGLGETPLATFORMDISPLAYEXTPROC platform =
      (PFNEGLGETPLATFORMDISPLAYEXTPROC)address("eglGetPlatformDisplayEXT");
  if (!platform) return EGL_NO_DISPLAY;
  if (devices) {
    EGLDeviceEXT found[16];
    EGLint count = 0;
    devices(16, found, &count);
    for (EGLint i = 0; i < count; i++) {
      EGLDisplay display = platform(EGL_PLATFORM_DEVICE_EXT, found[i], NULL);
      if (display != EGL_NO_DISPLAY && initialize(display, NULL, NULL)) return display;
    }
  }
  EGLDisplay display = platform(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
  return display != EGL_NO_DISPLAY && initialize(display, NULL, NULL) ? display : EGL_NO_DISPLAY;
}

static const char *make_egl(OffscreenContext *made) {
  void *egl = dlopen("libEGL.so.1", RTLD_NOW | RTLD_GLOBAL);
  if (!egl) return "libEGL.so.1 is not installed";
  void *opengl = dlopen("libOpenGL.so.0", RTLD_NOW | RTLD_GLOBAL);
  if (!opengl) return "libOpenGL.so.0 is not installed";
  made->read_pixels = dlsym(opengl, "glReadPixels");
  void *(*address)(const char *) = (void *(*)(const char *))dlsym(egl, "eglGetProcAddress");
  EGLBoolean (*initialize)(EGLDisplay, EGLint *, EGLint *) = dlsym(egl, "eglInitialize");
  EGLBoolean (*bind)(EGLenum) = dlsym(egl, "eglBindAPI");
  EGLBoolean (*choose)(EGLDisplay, const EGLint *, EGLConfig *, EGLint, EGLint *) =
      dlsym(egl, "eglChooseConfig");
  EGLContext (*create)(EGLDisplay, EGLConfig, EGLContext, const EGLint *) =
      dlsym(egl, "eglCreateContext");
  made->make_current = dlsym(egl, "eglMakeCurrent");
  made->destroy = dlsym(egl, "eglDestroyContext");
  if (!address || !initialize || !bind || !choose || !create || !made->make_current || !made->destroy ||
      !made->read_pixels)
    return "libEGL.so.1 lacks a function";
  made->display = start_display(address, initialize);
  if (made->display == EGL_NO_DISPLAY) return "EGL has no device or platform that starts";
  bind(EGL_OPENGL_API);
  const EGLint wanted[] = {EGL_RED_SIZE, 8, EGL_GREEN_SIZE, 8, EGL_BLUE_SIZE, 8, EGL_ALPHA_SIZE, 8,
                           EGL_DEPTH_SIZE, 24, EGL_STENCIL_SIZE, 8,
                           EGL_COLOR_BUFFER_TYPE, EGL_RGB_BUFFER,
                           EGL_SURFACE_TYPE, EGL_PBUFFER_BIT,
                           EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_NONE};
  EGLConfig config;
  EGLint count = 0;
  if (!choose(made->display, wanted, &config, 1, &count) || !count) return "EGL has no fitting configuration";
  made->context = create(made->display, config, EGL_NO_CONTEXT, NULL);
  if (made->context == EGL_NO_CONTEXT) return "EGL made no context";
  return NULL;
}

static const char *make_mesa(OffscreenContext *made) {
  void *library = dlopen("libOSMesa.so.8", RTLD_NOW | RTLD_GLOBAL);
  if (!library) return "libOSMesa.so.8 is not installed";
  void *(*create)(unsigned, int, int, int, void *) = dlsym(library, "OSMesaCreateContextExt");
  made->mesa_make_current = dlsym(library, "OSMesaMakeCurrent");
  made->mesa_destroy = dlsym(library, "OSMesaDestroyContext");
  made->read_pixels = dlsym(library, "glReadPixels");
  if (!create || !made->mesa_make_current || !made->mesa_destroy || !made->read_pixels) return "libOSMesa.so.8 lacks a function";
  made->buffer = malloc(mesa_width * mesa_height * 4);
  made->mesa = create(rgba, 24, 8, 8, NULL);
  return made->mesa && made->buffer ? NULL : "OSMesa made no context";
}

int offscreen_make_current(OffscreenContext *context) {
  if (context->context != EGL_NO_CONTEXT)
    return context->make_current(context->display, EGL_NO_SURFACE, EGL_NO_SURFACE, context->context);
  return context->mesa_make_current(context->mesa, context->buffer, unsigned_byte, mesa_width, mesa_height);
}

OffscreenContext *offscreen_make(char *error, int room) {
  OffscreenContext *made = calloc(1, sizeof *made);
  if (!made) return NULL;
  const char *egl = make_egl(made);
  if (!egl && offscreen_make_current(made)) return made;
  made->context = EGL_NO_CONTEXT;
  const char *mesa = make_mesa(made);
  if (!mesa && offscreen_make_current(made)) return made;
  snprintf(error, room, "%s; %s", egl ? egl : "EGL's context can't be made current",
           mesa ? mesa : "OSMesa's context can't be made current");
  offscreen_free(made);
  return NULL;
}

void offscreen_read(const OffscreenContext *context, int width, int height, void *pixels) {
  context->read_pixels(0, 0, width, height, rgba, unsigned_byte, pixels);
}

const char *offscreen_kind(const OffscreenContext *context) {
  return context->context != EGL_NO_CONTEXT ? "EGL" : "OSMesa";
}

void offscreen_free(OffscreenContext *context) {
  if (context->context != EGL_NO_CONTEXT) context->destroy(context->display, context->context);
  if (context->mesa) context->mesa_destroy(context->mesa);
  free(context->buffer);
  free(context);
}
#endif
