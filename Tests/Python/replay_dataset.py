"""Opens a dataset's shards with h5py and replays them in gymnasium-robotics by reset(seed=...).

    replay_dataset.py DATASET EPISODES

Observations must agree to the rounding of Float, rewards and successes exactly.
"""

import json
import pathlib
import sys

import gymnasium
import gymnasium_robotics
import h5py
import numpy

gymnasium.register_envs(gymnasium_robotics)
names = {"fetch-reach": "FetchReach-v4", "fetch-push": "FetchPush-v4"}
folder, left = pathlib.Path(sys.argv[1]), int(sys.argv[2])
manifest = json.loads((folder / "manifest.json").read_text())
world = gymnasium.make(names[manifest["task"]["identifier"]])
worst = episodes = steps = 0
for shard in manifest["shards"]:
    with h5py.File(folder / shard["file"]) as file:
        lengths = file["episode_lengths"][:]
        for number, length in enumerate(lengths[:left]):
            state = lengths[:number].sum() + number
            step = lengths[:number].sum()
            shown, _ = world.reset(seed=int(file["seeds"][number]))
            assert (shown["desired_goal"].astype("f4") == file["desired_goals"][number]).all()
            for t in range(length + 1):
                stored = file["observations"][state + t]
                worst = max(worst, abs(shown["observation"] - stored).max())
                achieved = shown["achieved_goal"].astype("f4")
                assert (achieved == file["achieved_goals"][state + t]).all()
                if t < length:
                    shown, reward, _, truncated, info = world.step(file["actions"][step + t])
                    assert reward == file["rewards"][step + t]
                    assert bool(info["is_success"]) == bool(file["successes"][step + t])
                    steps += 1
            assert truncated == bool(file["truncated"][number])
            episodes += 1
    left -= len(lengths)
    if left <= 0:
        break
assert worst < 1e-6, worst
print(json.dumps({"episodes": episodes, "steps": int(steps), "worst": float(worst)}))
