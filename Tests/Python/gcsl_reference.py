"""Trains the door of github.com/dibyaghosh/gcsl with that repository's own code and writes its evaluations.

    gcsl_reference.py GCSL SEED STEPS FILE

GCSL is a checkout, which runs as it is. Three things that it stands on are replaced: mujoco_py, which no longer builds, by the part
of it that the arm uses, over MuJoCo's own binding; rlutil's wrapper of PyTorch, which only chooses the device, by PyTorch; the
logger, by none. As the log's author had it, actions are sampled while data are collected; the loss on the trajectories that
are held out is not computed, as nothing depends on it, and the optimizer is fused. Before MuJoCo 3.0 the model is as it was.
FILE has a row an evaluation of 50 episodes: environment_steps, success49, distance49.
"""

import collections
import functools
import pathlib
import sys
import types
from unittest import mock

import mujoco
import numpy
import torch

root, seed, steps, file = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
if mujoco.mj_version() >= 300:
    sys.exit(f"MuJoCo {mujoco.__version__} holds the hand otherwise than those before 3.0, on which GCSL's code ran")


class Model:
    def __init__(self, path):
        self.real = mujoco.MjModel.from_xml_path(path)
        # What the arm's class writes into the welds itself, in the seven numbers that a weld had before MuJoCo 2.2.
        self.real.eq_data[self.real.eq_type == mujoco.mjtEq.mjEQ_WELD] = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
        self.nq, self.nv, self.nu, self.nmocap = self.real.nq, self.real.nv, self.real.nu, self.real.nmocap
        self.opt, self.eq_data = self.real.opt, None

    def get_joint_qpos_addr(self, name):
        return self.real.joint(name).qposadr[0]


class Data:
    def __init__(self, model):
        self.model, self.real = model, mujoco.MjData(model.real)
        self.qpos, self.qvel, self.ctrl = self.real.qpos, self.real.qvel, self.real.ctrl
        self.mocap_pos, self.mocap_quat = self.real.mocap_pos, self.real.mocap_quat

    def set_mocap_pos(self, name, value):
        self.mocap_pos[0] = value

    def set_mocap_quat(self, name, value):
        self.mocap_quat[0] = value

    def get_body_xpos(self, name):
        return self.real.body(name).xpos

    def get_joint_qpos(self, name):
        return self.qpos[self.model.get_joint_qpos_addr(name)]


State = collections.namedtuple("State", "time qpos qvel act udd_state")


class Simulation:
    def __init__(self, model):
        self.model, self.data = model, Data(model)

    def get_state(self):
        return State(0, self.data.qpos.copy(), self.data.qvel.copy(), None, None)

    def set_state(self, state):
        self.data.qpos[:], self.data.qvel[:] = state.qpos, state.qvel

    def forward(self):
        mujoco.mj_forward(self.model.real, self.data.real)

    def step(self):
        mujoco.mj_step(self.model.real, self.data.real)


class Quiet:
    def __getattr__(self, name):
        return lambda *arguments, **options: None


sys.path[:0] = [str(root), str(root / "dependencies")]
import rlutil  # noqa: E402

rlutil.torch = torch
torch.pytorch_util = types.SimpleNamespace(to_numpy=lambda x: x.detach().numpy())
sys.modules |= {
    "mujoco_py": types.SimpleNamespace(load_model_from_path=Model, MjSim=Simulation, MjSimState=State),
    "rlutil.torch": torch,
    "rlutil.torch.nn": torch.nn,
    "rlutil.torch.distributions": torch.distributions,
    "rlutil.torch.pytorch_util": torch.pytorch_util,
    "rlutil.logging": types.SimpleNamespace(logger=Quiet()),
}
# What the door does not need: pictures, the other worlds.
for name in ["matplotlib", "matplotlib.pyplot", "PIL"] + ["gcsl.envs." + n for n in "room_env sawyer_push lunarlander claw_env".split()]:
    sys.modules[name] = mock.MagicMock()
from gcsl import envs  # noqa: E402
from gcsl.algo import gcsl, variants  # noqa: E402


class Sampling(gcsl.GCSL):
    evaluating = False

    def sample_trajectory(self, greedy=False, noise=0, render=False):
        return super().sample_trajectory(greedy=greedy and self.evaluating, noise=noise, render=render)

    def validation_loss(self, buffer=None):
        return 0

    def evaluate_policy(self, *arguments, total_timesteps=0, **options):
        self.evaluating = True
        states, goals = super().evaluate_policy(*arguments, total_timesteps=total_timesteps, **options)
        self.evaluating = False
        distance = self.env.goal_distance(states[:, -1], goals)
        print(total_timesteps, (distance < self.goal_threshold).mean(), distance.mean(), sep=",", file=output, flush=True)
        return states, goals


torch.set_num_threads(1)
torch.manual_seed(seed)
numpy.random.seed(seed)
torch.optim.Adam = functools.partial(torch.optim.Adam, fused=True)
env, policy, buffer, options = variants.get_params(envs.create_env("door"), envs.get_env_params("door"))
gcsl.tqdm = types.SimpleNamespace(trange=lambda n, **_: range(n), tqdm=lambda **_: mock.MagicMock())
with open(file, "w") as output:
    print("environment_steps,success49,distance49", file=output)
    Sampling(env, policy, buffer, **options | {"max_timesteps": steps}).train()
