"""Runs robel's own DClawTurnFixed in GCSL's way: JSON episodes on standard input, what they show on standard output.

    claw_reference.py MODELS

MODELS is where set-up unpacked robel. robel asks for gym and mujoco_py, which run on no Python of today: gymnasium and
MuJoCo's own Python stand in for the few things of theirs that it uses.
"""

import json
import sys
import types

import gymnasium
import mujoco
import numpy

sys.path.insert(0, sys.argv[1])


class Simulation:
    """What robel uses of mujoco_py's MjSim."""

    def __init__(self, model):
        self.model, self.data = model, mujoco.MjData(model.inner)

    def reset(self):
        mujoco.mj_resetData(self.model.inner, self.data)

    def forward(self):
        mujoco.mj_forward(self.model.inner, self.data)

    def step(self):
        mujoco.mj_step(self.model.inner, self.data)


class Model:
    """What robel uses of mujoco_py's model: names, and everything else of MuJoCo's own."""

    def __init__(self, path):
        self.inner = mujoco.MjModel.from_xml_path(path)

    def body_name2id(self, name):
        return self.inner.body(name).id

    def __getattr__(self, name):
        return getattr(self.inner, name)


def module(name, **contents):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(contents)
    return sys.modules[name]


callbacks = types.SimpleNamespace(set_warning_callback=lambda function: None)
module("mujoco_py", load_model_from_path=Model, MjSim=Simulation, MujocoException=Exception, cymj=callbacks)
module("mujoco_py.builder", cymj=callbacks, user_warning_raise_exception=None)
# How the goal's marker is turned, which moves nothing and is not shown.
module("transforms3d", euler=module("transforms3d.euler", euler2quat=lambda *angles: [1, 0, 0, 0]))
registry = types.SimpleNamespace(env_specs={})
registration = module("gym.envs.registration", registry=registry, register=lambda *names, **settings: None)
module("gym.envs", registration=registration)
module("gym.spaces", **vars(gymnasium.spaces))
module("gym.utils.seeding", **vars(gymnasium.utils.seeding))
module("gym.utils", seeding=sys.modules["gym.utils.seeding"], EzPickle=gymnasium.utils.EzPickle)
module("gym", Env=object, Space=gymnasium.Space, spaces=sys.modules["gym.spaces"], utils=sys.modules["gym.utils"])

from robel.dclaw.turn import DClawTurnFixed  # noqa: E402

world = DClawTurnFixed()
answers = []
for episode in json.load(sys.stdin):
    angle = numpy.random.default_rng(episode["seed"]).uniform(0, 2 * numpy.pi)
    observations = [world.reset()[:11].tolist()]
    for action in episode["actions"]:
        observations.append(world.step(numpy.array(action, float))[0][:11].tolist())
    answers.append({"goal": [numpy.cos(angle), numpy.sin(angle)], "observations": observations})
json.dump(answers, sys.stdout)
