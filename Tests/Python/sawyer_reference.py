"""Replays our Sawyer's episodes in the reference's models and prints how far the two are apart.

    sawyer_reference.py GCSL GAP DATASET...

GCSL is a checkout of github.com/dibyaghosh/gcsl, which holds multiworld's models, GAP one of
github.com/suraj-nair-1/goal_aware_prediction; a dataset is of sawyer-reach, sawyer-door*, sawyer-push or gap-blocks. For
each it prints the largest differences of what is shown, at the start of episodes and in whole episodes of the same actions, and
of the door how far it was opened.
It asks for a MuJoCo before 3.0, as those were that the references ran on.
What is shown has single precision, to which the reference's is rounded: 0 says that all bits are equal. Of the door it also prints
how far its starts are from each other, as the reference's reset leaves much of the simulator as the last episode left it.
"""

import json
import pathlib
import sys

import h5py
import mujoco
import numpy

if mujoco.mj_version() >= 300:
    sys.exit(f"MuJoCo {mujoco.__version__} is not before 3.0, as those were that the references ran on")
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

    def __init__(self):
        self.model = mujoco.MjModel.from_xml_path(str(self.file))
        for k in range(self.model.neq):
            if self.model.eq_type[k] == mujoco.mjtEq.mjEQ_WELD:
                self.model.eq_data[k] = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
        self.data = mujoco.MjData(self.model)
        self.body = self.model.body(self.hand).id

    def move(self, count):
        for _ in range(count):
            mujoco.mj_step(self.model, self.data)

    def hold(self, place):
        self.data.mocap_pos[0], self.data.mocap_quat[0] = place, [1, 0, 1, 0]

    def reset(self, seed):
        mujoco.mj_resetData(self.model, self.data)
        self.settle()

    def settle(self):
        """What the reference's classes do at a reset, which leaves the rest as the last episode left it."""
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


class Door(World):
    name = "sawyer-door"
    file = assets / "sawyer_door_pull_hook.xml"
    things = ["doorjoint"]
    low, high, start = [-0.1, 0.45, 0.1], [0.05, 0.65, 0.25], [-0.05, 0.635, 0.225]
    units = {"hand, m": slice(0, 3), "door, rad": slice(3, 4)}

    def leftovers(self, episodes=40):
        """How far starts are from that of a fresh simulator, after episodes of random actions."""
        random = numpy.random.default_rng(0)
        self.reset(0)
        fresh, apart = self.shown(), 0
        for _ in range(episodes):
            for _ in range(50):
                self.step(random.integers(-1, 2, 3))
            self.settle()
            apart = max(apart, abs(self.shown() - fresh).max())
        return apart


class Push(World):
    name = "sawyer-push"
    file = root / "gcsl/envs/assets/push.xml"
    hand = "leftclaw"
    low, high = [-0.2, 0.5, 0], [0.2, 0.7, 0.5]
    substeps = 20
    units = {"hand, m": slice(0, 2), "puck, m": slice(2, 4)}

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


print(f"MuJoCo {mujoco.__version__}")
for folder in map(pathlib.Path, sys.argv[3:]):
    manifest = json.loads((folder / "manifest.json").read_text())
    name = manifest["task"]["identifier"]
    world = next(kind() for kind in (Push, Door, Blocks, World) if name.startswith(kind.name))
    apart, ours, theirs = [], [], []
    for shard in manifest["shards"]:
        with h5py.File(folder / shard["file"]) as file:
            lengths = file["episode_lengths"][:]
            for number, length in enumerate(lengths):
                row = lengths[:number].sum()
                world.reset(int(file["seeds"][number]))
                path = [world.shown()]
                for action in file["actions"][row : row + length].astype(float):
                    world.step(action)
                    path.append(world.shown())
                shown = file["observations"][row + number : row + number + length + 1]
                apart.append(abs(numpy.float32(path) - shown))
                ours.append(shown)
                theirs.append(path)
    print(f"{name}: {len(apart)} episodes")
    for unit, part in world.units.items():
        starts = max(rows[0, part].max() for rows in apart)
        episodes = [rows[:, part].max() for rows in apart]
        print(f"  {unit}: {starts:.1e} at the start, {numpy.median(episodes):.1e} in half of the episodes, "
              f"{max(episodes):.1e} in all", flush=True)
    if isinstance(world, Door):
        opened = [numpy.array(rows)[:, :, 3].max(1).mean() for rows in (ours, theirs)]
        print(f"  opened at most, mean of episodes: {opened[0]:.3f} rad, the reference's {opened[1]:.3f}")
        print(f"  starts with what 40 random episodes left in the simulator: {world.leftovers():.1e} from a fresh one's", flush=True)
