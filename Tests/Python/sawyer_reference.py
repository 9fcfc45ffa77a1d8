"""Replays our Sawyer's episodes in the reference's models and prints how far the two are apart.

    sawyer_reference.py GCSL GAP DATASET...

GCSL is a checkout of github.com/dibyaghosh/gcsl, which holds multiworld's models, GAP one of
github.com/suraj-nair-1/goal_aware_prediction; a dataset is of sawyer-reach, sawyer-door*, sawyer-push or gap-blocks* with
states. For each it prints, of what is shown: the difference at the start; the largest in
a whole episode of the same actions; and that after one control step from equal states, apart for steps in which the
things touch each other and in which they do not.
"""

import json
import pathlib
import sys

import h5py
import mujoco
import numpy

root, gap = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
assets = root / "dependencies/multiworld/envs/assets/sawyer_xyz"
arm = [1.7244448, -0.92036369, 0.10234232, 2.11178144, 2.97668632, -0.38664629, 0.54065733]
push_pose = [
    1.78026069, -0.684415781, -0.154549231, 2.3067209, 1.93111471, 0.127854012, 1.49353907, 0.00180196716, 0.740415706,
    0.020989536, 0.99999999, 3.05766105e-05, -3.78462492e-06, 0.000138684523, -0.0362518873, 0.613435141, 0.020968608,
    0.707106781, 1.48979724e-14, 0.707106781, -1.48999170e-14, 0, 0.6, 0.02, 1, 0, 1, 0,
]  # fmt: skip


def rounded(*values):
    return numpy.array(values, numpy.float32).astype(float)


class World:
    """A reference's model in the loop of its class: reach and door."""

    name = "sawyer-reach"
    file = assets / "sawyer_reach.xml"
    hand, things = "hand", []
    low, high, start = [-0.2, 0.55, 0.05], [0.2, 0.75, 0.3], [0, 0.5, 0.02]
    substeps = 50
    units = {"hand, m": slice(0, 3)}
    nq = nv = 8  # of ours, which lacks the bodies that stand for goals

    def __init__(self):
        spec = mujoco.MjSpec.from_file(str(self.file))
        for texture in spec.textures:
            if texture.file:  # pictures matter to no number, and some are missing
                texture.file, texture.builtin, texture.width, texture.height = "", mujoco.mjtBuiltin.mjBUILTIN_FLAT, 8, 8
        self.model = spec.compile()
        for k in range(self.model.neq):
            if self.model.eq_type[k] == mujoco.mjtEq.mjEQ_WELD:
                self.model.eq_data[k] = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
        self.data = mujoco.MjData(self.model)
        self.body = self.model.body(self.hand).id
        # Of each shape: whether it moves with the arm's last link, and whether it is part of the world.
        bodies = self.model.geom_bodyid
        self.is_hand = numpy.array([self.hangs_on(body, self.model.body("right_l6").id) for body in bodies])
        self.is_fixed = bodies == 0
        self.touched = None

    def hangs_on(self, body, ancestor):
        while body > 0 and body != ancestor:
            body = self.model.body_parentid[body]
        return body > 0

    def move(self, count):
        for _ in range(count):
            mujoco.mj_step(self.model, self.data)
            if self.touched is False and self.data.ncon:
                first, second = self.data.contact.geom.T
                apart = self.is_hand[first] != self.is_hand[second]
                self.touched = bool((apart & ~self.is_fixed[first] & ~self.is_fixed[second]).any())

    def hold(self, place):
        self.data.mocap_pos[0], self.data.mocap_quat[0] = place, [1, 0, 1, 0]

    def reset(self, seed):
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:7] = arm
        mujoco.mj_forward(self.model, self.data)
        for _ in range(10):
            self.hold(self.start)
            self.move(self.substeps)
        for name in self.things:
            joint = self.model.joint(name)
            self.data.qpos[joint.qposadr[0]] = self.data.qvel[joint.dofadr[0]] = 0
        mujoco.mj_forward(self.model, self.data)

    def step(self, action):
        self.hold(numpy.clip(self.data.mocap_pos[0] + numpy.clip(action, -1, 1) * 0.02, self.low, self.high))
        self.move(self.substeps)

    def shown(self):
        angles = [self.data.qpos[self.model.joint(name).qposadr[0]] for name in self.things]
        return numpy.concatenate([self.data.xpos[self.body], angles])

    def put(self, state):
        """Puts one of our states: those of the joints that both have, which come first, and of what the hand follows."""
        nq, nv = self.nq, self.nv
        flag, state = state[-1], state[:-1]
        self.data.time = state[0]
        self.data.qpos[:nq] = state[1 : 1 + nq]
        self.data.qvel[:nv] = state[1 + nq : 1 + nq + nv]
        self.data.qacc_warmstart[:nv] = state[1 + nq + nv : 1 + nq + 2 * nv]
        self.data.mocap_pos[0], self.data.mocap_quat[0] = state[-7:-4], state[-4:]
        if flag == 1:
            mujoco.mj_step(self.model, self.data)
        else:
            mujoco.mj_forward(self.model, self.data)


class Door(World):
    name = "sawyer-door"
    file = assets / "sawyer_door_pull_hook.xml"
    things = ["doorjoint"]
    low, high, start = [-0.1, 0.45, 0.1], [0.05, 0.65, 0.25], [-0.05, 0.635, 0.225]
    units = {"hand, m": slice(0, 3), "door, rad": slice(3, 4)}


class Push(World):
    name = "sawyer-push"
    file = root / "gcsl/envs/assets/push.xml"
    hand = "leftclaw"
    low, high = [-0.2, 0.5, 0], [0.2, 0.7, 0.5]
    substeps = 20
    units = {"hand, m": slice(0, 2), "puck, m": slice(2, 4)}
    nq, nv = 14, 13

    def reset(self, seed):
        random = numpy.random.default_rng(seed)
        low, high = rounded(-0.2, 0.5, -0.17, 0.53), rounded(-0.17, 0.53, -0.1, 0.6)
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:] = push_pose
        mujoco.mj_forward(self.model, self.data)
        place = numpy.append(random.uniform(low[:2], high[:2]), 0.06)
        for _ in range(52):
            self.hold(place)
            self.move(self.substeps)
            if numpy.linalg.norm(place - self.data.xpos[self.body]) < 0.002:
                break
        puck = random.uniform(low[2:], high[2:])
        while numpy.linalg.norm(self.data.xpos[self.body][:2] - puck) <= 0.04 + 0.015:
            puck = random.uniform(low[2:], high[2:])
        self.data.qpos[7:10], self.data.qvel[7:10] = [*puck, 0.02], 0
        mujoco.mj_forward(self.model, self.data)
        low, high = rounded(-0.2, 0.5, -0.2, 0.5), rounded(0.2, 0.7, 0.2, 0.7)
        goal = random.uniform(low, high)
        while numpy.linalg.norm(goal[:2] - goal[2:]) <= 0.04 + 0.015:
            goal = random.uniform(low, high)
        self.data.qpos[14:17], self.data.qvel[14:17] = [*goal[:2], 0.06], 0
        self.data.qpos[21:24], self.data.qvel[21:24] = [*goal[2:], 0.02], 0
        mujoco.mj_forward(self.model, self.data)

    def step(self, action):
        super().step(numpy.append(action, 0.06 - self.data.mocap_pos[0][2]))

    def shown(self):
        return numpy.concatenate([self.data.xpos[self.body][:2], self.data.xpos[self.model.body("puck").id][:2]])


class Blocks(World):
    """The random problem."""

    name = "gap-blocks"
    file = gap / "gap_envs/assets/sawyer_xyz/sawyer_multiobject.xml"
    low, high = [-0.2, 0.4, 0], [0.2, 0.8, 0.05]
    substeps = 5
    units = {"hand, m": slice(0, 3), "blocks, m": slice(3, 9), "blocks, m/s": slice(9, 15)}
    nq = nv = 15

    def fingers(self, right, left):
        self.data.ctrl[:] = right, left
        self.move(self.substeps)

    def bring(self):
        for _ in range(10):
            self.hold([0, 0.6, 0])
            self.fingers(-1, 1)

    def place(self, block, place):
        self.data.qpos[9 + 2 * block : 11 + 2 * block], self.data.qvel[9 + 2 * block : 11 + 2 * block] = place, 0
        mujoco.mj_forward(self.model, self.data)

    def reset(self, seed):
        random = numpy.random.default_rng(seed)
        mujoco.mj_resetData(self.model, self.data)
        self.bring()
        for block in range(3):
            self.place(block, random.uniform(-0.2, 0.2, 2))
        for _ in range(100):
            self.fingers(0, 0)
        target = random.integers(0, 3)
        before = self.data.qpos[9 + 2 * target : 11 + 2 * target].copy()
        self.bring()
        self.place(target, random.uniform(-0.3, 0.3, 2))
        self.bring()
        self.place(target, before)

    def step(self, action):
        for _ in range(2):
            self.hold(numpy.clip(self.data.mocap_pos[0] + action[:3] * 0.1, self.low, self.high))
            self.fingers(action[3], -action[3])

    def shown(self):
        places = self.data.qpos[9:15] + [0, 0.6] * 3
        return numpy.concatenate([self.data.xpos[self.body], places, self.data.qvel[9:15]])


def summary(values):
    if not len(values):
        return "none"
    return "median %.1e, 95 %% %.1e, largest %.1e" % (numpy.median(values), numpy.quantile(values, 0.95), max(values))


for folder in map(pathlib.Path, sys.argv[3:]):
    manifest = json.loads((folder / "manifest.json").read_text())
    name = manifest["task"]["identifier"]
    world = next(kind() for kind in (Push, Door, Blocks, World) if name.startswith(kind.name))
    starts, episodes, steps = [], [], {False: [], True: []}
    for shard in manifest["shards"]:
        with h5py.File(folder / shard["file"]) as file:
            lengths = file["episode_lengths"][:]
            for number, length in enumerate(lengths):
                row = lengths[:number].sum()
                shown = file["observations"][row + number : row + number + length + 1].astype(float)
                states = file["states"][row + number : row + number + length + 1]
                actions = file["actions"][row : row + length].astype(float)
                seed = int(file["seeds"][number])
                world.reset(seed)
                path = [world.shown()]
                for action in actions:
                    world.step(action)
                    path.append(world.shown())
                apart = abs(numpy.array(path) - shown)
                starts.append(apart[0])
                episodes.append(apart.max(0))
                for t, action in enumerate(actions):
                    world.put(states[t])
                    world.touched = False
                    world.step(action)
                    steps[world.touched].append(abs(world.shown() - shown[t + 1]))
                world.touched = None
    print(f"{name}: {len(starts)} episodes, {len(steps[False])} steps free, {len(steps[True])} touching")
    for unit, part in world.units.items():
        largest = lambda rows: [row[part].max() for row in rows]  # noqa: E731
        print(f"  {unit}: at the start {max(largest(starts)):.1e}")
        print(f"    whole episodes:     {summary(largest(episodes))}")
        print(f"    one step, free:     {summary(largest(steps[False]))}")
        print(f"    one step, touching: {summary(largest(steps[True]))}", flush=True)
