// Box2D for Swift: a world of rigid bodies in a plane, each of which is known by its number.
//
// No C++ exception passes this face. A function that fails returns NULL, -1 or false, which happens
// where memory is short or a value breaks a rule of Box2D. Lengths are metres, angles radians.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// A world and its bodies, which are numbered from 0 in the order in which they were made.
typedef struct CBox2DWorld *CBox2DWorldRef;

/// What a fixture is made of and what it collides with.
typedef struct {
  float density, friction, restitution;
  uint16_t category, mask;
} CBox2DMaterial;

/// A point or a vector.
typedef struct {
  float x, y;
} CBox2DVector;

/// Where a body is and how it moves.
typedef struct {
  CBox2DVector position, velocity;
  float angle, angular_velocity;
} CBox2DMotion;

/// A hinge between two bodies, with limits and a motor. Its angle is 0 as the bodies lie when it is
/// made.
typedef struct {
  int32_t first, second;
  CBox2DVector anchor_on_first, anchor_on_second;
  float lower, upper, motor_speed, largest_torque;
} CBox2DHinge;

/// Makes an empty world.
CBox2DWorldRef _Nullable cbox2d_make(CBox2DVector gravity);
/// Frees a world and all that is in it.
void cbox2d_free(CBox2DWorldRef world);

/// Makes a body without fixtures; its number.
int32_t cbox2d_add_body(CBox2DWorldRef world, bool moves, CBox2DVector position, float angle);
/// Adds an edge to a body.
bool cbox2d_add_edge(
    CBox2DWorldRef world, int32_t body, CBox2DVector from, CBox2DVector to, CBox2DMaterial material);
/// Adds a convex polygon of 3 to 8 points to a body.
bool cbox2d_add_polygon(
    CBox2DWorldRef world, int32_t body, const CBox2DVector *points, int32_t count, CBox2DMaterial material);
/// Adds a rectangle of these half sides to a body.
bool cbox2d_add_box(CBox2DWorldRef world, int32_t body, float half_width, float half_height, CBox2DMaterial material);
/// Joins two bodies.
bool cbox2d_add_hinge(CBox2DWorldRef world, CBox2DHinge hinge);

/// Applies a force, in newtons, to a body's centre during the next step.
void cbox2d_push(CBox2DWorldRef world, int32_t body, CBox2DVector force);
/// Applies an impulse, in newton seconds, at a point of the world.
void cbox2d_kick(CBox2DWorldRef world, int32_t body, CBox2DVector impulse, CBox2DVector point);
/// Goes on by so many seconds.
bool cbox2d_step(CBox2DWorldRef world, float seconds, int32_t velocity_iterations, int32_t position_iterations);

/// Where a body is and how it moves.
CBox2DMotion cbox2d_motion(CBox2DWorldRef world, int32_t body);
/// Whether the last of a body's contacts to begin or end began: the flag that gymnasium's lander
/// has.
bool cbox2d_touches(CBox2DWorldRef world, int32_t body);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
