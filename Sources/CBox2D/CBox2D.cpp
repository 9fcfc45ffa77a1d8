#if !__has_include(<Box2D/Box2D.h>)
#error "Box2D not found: run `make setup`, or set GOALPOST_DEPS to the folder that it filled"
#else
#include "CBox2D.h"

#include <Box2D/Box2D.h>

#include <vector>

struct CBox2DWorld final : b2ContactListener {
  explicit CBox2DWorld(b2Vec2 gravity) : world(gravity) { world.SetContactListener(this); }

  b2World world;
  std::vector<b2Body *> bodies;
  std::vector<char> touches;

  void BeginContact(b2Contact *contact) override { note(contact, true); }
  void EndContact(b2Contact *contact) override { note(contact, false); }

  b2Body &body(int32_t number) { return *bodies.at(number); }

private:
  void note(b2Contact *contact, bool begins) {
    for (b2Fixture *fixture : {contact->GetFixtureA(), contact->GetFixtureB()})
      touches[reinterpret_cast<intptr_t>(fixture->GetBody()->GetUserData())] = begins;
  }
};

namespace {

b2Vec2 vector(CBox2DVector v) { return b2Vec2(v.x, v.y); }
CBox2DVector vector(b2Vec2 v) { return {v.x, v.y}; }

/// Runs `body`; an exception becomes the result `bad`.
template <class Result, class Body> Result guarded(Result bad, Body body) noexcept {
  try {
    return body();
  } catch (...) {
    return bad;
  }
}

bool add(CBox2DWorldRef world, int32_t body, const b2Shape &shape, const CBox2DMaterial &material) {
  b2FixtureDef fixture;
  fixture.shape = &shape;
  fixture.density = material.density;
  fixture.friction = material.friction;
  fixture.restitution = material.restitution;
  fixture.filter.categoryBits = material.category;
  fixture.filter.maskBits = material.mask;
  world->body(body).CreateFixture(&fixture);
  return true;
}

} // namespace

CBox2DWorldRef cbox2d_make(CBox2DVector gravity) {
  return guarded<CBox2DWorldRef>(nullptr, [&] { return new CBox2DWorld(vector(gravity)); });
}

void cbox2d_free(CBox2DWorldRef world) {
  // The bodies' ends are told to nobody: their flags go first.
  world->world.SetContactListener(nullptr);
  delete world;
}

int32_t cbox2d_add_body(CBox2DWorldRef world, bool moves, CBox2DVector position, float angle) {
  return guarded<int32_t>(-1, [&] {
    const auto number = int32_t(world->bodies.size());
    world->bodies.reserve(number + 1);
    world->touches.reserve(number + 1);
    b2BodyDef body;
    body.type = moves ? b2_dynamicBody : b2_staticBody;
    body.position = vector(position);
    body.angle = angle;
    body.userData = reinterpret_cast<void *>(intptr_t(number));
    world->bodies.push_back(world->world.CreateBody(&body));
    world->touches.push_back(false);
    return number;
  });
}

bool cbox2d_add_edge(
    CBox2DWorldRef world, int32_t body, CBox2DVector from, CBox2DVector to, CBox2DMaterial material) {
  return guarded(false, [&] {
    b2EdgeShape shape;
    shape.Set(vector(from), vector(to));
    return add(world, body, shape, material);
  });
}

bool cbox2d_add_polygon(
    CBox2DWorldRef world, int32_t body, const CBox2DVector *points, int32_t count, CBox2DMaterial material) {
  return guarded(false, [&] {
    std::vector<b2Vec2> corners;
    for (int32_t k = 0; k < count; k++) corners.push_back(vector(points[k]));
    b2PolygonShape shape;
    shape.Set(corners.data(), count);
    return add(world, body, shape, material);
  });
}

bool cbox2d_add_box(CBox2DWorldRef world, int32_t body, float half_width, float half_height, CBox2DMaterial material) {
  return guarded(false, [&] {
    b2PolygonShape shape;
    shape.SetAsBox(half_width, half_height);
    return add(world, body, shape, material);
  });
}

bool cbox2d_add_hinge(CBox2DWorldRef world, CBox2DHinge hinge) {
  return guarded(false, [&] {
    b2Body &first = world->body(hinge.first), &second = world->body(hinge.second);
    b2RevoluteJointDef joint;
    joint.bodyA = &first;
    joint.bodyB = &second;
    joint.localAnchorA = vector(hinge.anchor_on_first);
    joint.localAnchorB = vector(hinge.anchor_on_second);
    // As pybox2d does; Box2D's own default is 0.
    joint.referenceAngle = second.GetAngle() - first.GetAngle();
    joint.enableLimit = true;
    joint.lowerAngle = hinge.lower;
    joint.upperAngle = hinge.upper;
    joint.enableMotor = true;
    joint.motorSpeed = hinge.motor_speed;
    joint.maxMotorTorque = hinge.largest_torque;
    world->world.CreateJoint(&joint);
    return true;
  });
}

void cbox2d_push(CBox2DWorldRef world, int32_t body, CBox2DVector force) {
  world->bodies[body]->ApplyForceToCenter(vector(force), true);
}

void cbox2d_kick(CBox2DWorldRef world, int32_t body, CBox2DVector impulse, CBox2DVector point) {
  world->bodies[body]->ApplyLinearImpulse(vector(impulse), vector(point), true);
}

bool cbox2d_step(CBox2DWorldRef world, float seconds, int32_t velocity_iterations, int32_t position_iterations) {
  return guarded(false, [&] {
    world->world.Step(seconds, velocity_iterations, position_iterations);
    return true;
  });
}

CBox2DMotion cbox2d_motion(CBox2DWorldRef world, int32_t body) {
  const b2Body &found = *world->bodies[body];
  return {vector(found.GetPosition()), vector(found.GetLinearVelocity()), found.GetAngle(), found.GetAngularVelocity()};
}

bool cbox2d_touches(CBox2DWorldRef world, int32_t body) { return world->touches[body]; }
#endif
