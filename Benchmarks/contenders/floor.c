// A plain C loop of 20 mj_step on FetchPush's model, moved at random: the floor under every FetchPush.
// usage: floor push.xml; speaks as Benchmarks/Sources/contender/main.swift says.
#include <math.h>
#include <mujoco/mujoco.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int count, char **words) {
  char error[500];
  mjModel *m = count > 1 ? mj_loadXML(words[1], NULL, error, sizeof error) : NULL;
  if (!m) return 1;
  mjData *d = mj_makeData(m);
  for (int i = 0; i < m->neq; i++) {
    mjtNum *e = m->eq_data + i * mjNEQDATA;
    memset(e, 0, 6 * sizeof *e);
    e[6] = 1;
  }
  const mjtNum object[7] = {1.25, .53, .4, 1, 0, 0, 0};
  memcpy(d->qpos + m->jnt_qposadr[mj_name2id(m, mjOBJ_JOINT, "object0:joint")], object, sizeof object);
  d->qpos[m->jnt_qposadr[mj_name2id(m, mjOBJ_JOINT, "robot0:slide0")]] = .405;
  d->qpos[m->jnt_qposadr[mj_name2id(m, mjOBJ_JOINT, "robot0:slide1")]] = .48;
  mj_forward(m, d);
  const mjtNum *grip = d->site_xpos + 3 * mj_name2id(m, mjOBJ_SITE, "robot0:grip");
  const mjtNum *body = d->xpos + 3 * mj_name2id(m, mjOBJ_BODY, "robot0:gripper_link");
  const mjtNum *rotation = d->xquat + 4 * mj_name2id(m, mjOBJ_BODY, "robot0:gripper_link");
  const mjtNum from[3] = {-.498, .005, -.431}, turned[4] = {1, 0, 1, 0};
  for (int k = 0; k < 3; k++) d->mocap_pos[k] = from[k] + grip[k];
  memcpy(d->mocap_quat, turned, sizeof turned);
  for (int i = 0; i < 200; i++) mj_step(m, d);

  // The fingers are held shut and the block starts somewhere near the gripper, as in the world.
  const int left = m->jnt_qposadr[mj_name2id(m, mjOBJ_JOINT, "robot0:l_gripper_finger_joint")];
  const int right = m->jnt_qposadr[mj_name2id(m, mjOBJ_JOINT, "robot0:r_gripper_finger_joint")];
  const int block = m->jnt_qposadr[mj_name2id(m, mjOBJ_JOINT, "object0:joint")];
  const mjtNum centre[2] = {grip[0], grip[1]};
  mjtNum *settled = malloc(sizeof(mjtNum) * m->nq);
  memcpy(settled, d->qpos, sizeof(mjtNum) * m->nq);
  printf("ready\n");
  fflush(stdout);
  char line[64];
  long step = 0;
  while (fgets(line, sizeof line, stdin)) {
    double wanted = atof(line), start = now(), steps = 0;
    do {
      // Episodes of 50 steps from the settled pose, so that the block stays on the table as ours does.
      if (step++ % 50 == 0) {
        mj_resetData(m, d);
        memcpy(d->qpos, settled, sizeof(mjtNum) * m->nq);
        do {
          for (int k = 0; k < 2; k++) d->qpos[block + k] = centre[k] + .15 * (2. * rand() / RAND_MAX - 1);
        } while (hypot(d->qpos[block] - centre[0], d->qpos[block + 1] - centre[1]) < .1);
        mj_forward(m, d);
      }
      for (int k = 0; k < 3; k++) d->mocap_pos[k] = body[k] + .05 * (2. * rand() / RAND_MAX - 1);
      for (int k = 0; k < 4; k++) d->mocap_quat[k] = rotation[k] + turned[k];
      for (int k = 0; k < 20; k++) mj_step(m, d);
      d->qpos[left] = d->qpos[right] = 0;
      steps++;
    } while (now() - start < wanted);
    printf("%f %f\n", steps, now() - start);
    fflush(stdout);
  }
}
