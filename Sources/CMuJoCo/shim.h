#pragma once
#if !__has_include(<mujoco/mujoco.h>)
#error "MuJoCo not found: run `make setup`, or set GOALPOST_DEPS to the folder that it filled"
#else
#include <mujoco/mujoco.h>
#endif

// In MuJoCo's library, but in none of its headers.
int mjc_BoxBox(const mjModel* model, const mjData* data, mjContact* contacts, int first, int second, mjtNum margin);
int mju_outsideBox(const mjtNum point[3], const mjtNum middle[3], const mjtNum rotation[9], const mjtNum size[3], mjtNum inflation);

// How a contact's place lies to a box of the model: 1 outside, -1 inside, 0 within a hundredth of
// its surface.
static inline int goalpost_outside(const mjModel* model, const mjData* data, const mjContact* contact, int box, mjtNum margin) {
  const mjtNum* size = model->geom_size + 3 * box;
  const mjtNum grown[3] = {size[0] + margin, size[1] + margin, size[2] + margin};
  return mju_outsideBox(contact->pos, data->geom_xpos + 3 * box, data->geom_xmat + 9 * box, grown, 1.01);
}

// The contacts of two boxes: MuJoCo 3.3's, and in a model that turns nativeccd off those before
// 3.1.
//
// Since 3.1 MuJoCo leaves out contacts that are outside one box and not inside the other, all
// versions leave out those that come again. MuJoCo does so itself where this table has its own
// function, and only there.
static inline int goalpost_collideBoxes(
    const mjModel* model, const mjData* data, mjContact* contacts, int first, int second, mjtNum margin) {
  const int all = model->opt.disableflags & mjDSBL_NATIVECCD;
  int count = mjc_BoxBox(model, data, contacts, first, second, margin);
  int inside = 0, kept = 0;
  for (int i = 0; i < count; i++) {
    int one = goalpost_outside(model, data, contacts + i, first, margin);
    int other = goalpost_outside(model, data, contacts + i, second, margin);
    if (all || !((one == 1 && other != -1) || (other == 1 && one != -1))) contacts[inside++] = contacts[i];
  }
  for (int i = 0; i < inside; i++) {
    int again = 0;
    for (int j = i + 1; j < inside && !again; j++) {
      const mjtNum *a = contacts[i].pos, *b = contacts[j].pos;
      again = a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
    }
    if (!again) contacts[kept++] = contacts[i];
  }
  return kept;
}

static inline void goalpost_replaceBoxes(void) { mjCOLLISIONFUNC[mjGEOM_BOX][mjGEOM_BOX] = goalpost_collideBoxes; }
