"""Minari's and robomimic's own code on our files, in .deps/venv-peers: peers_reference.py COMMAND ..."""

import contextlib
import io
import json
import os
import pathlib
import sys
import warnings

import numpy

warnings.filterwarnings("ignore")


def record(root, episodes):
    """A dataset recorded by Minari's DataCollector on FetchPush-v4."""
    os.environ["MINARI_DATASETS_PATH"] = root
    import gymnasium
    import gymnasium_robotics
    import minari
    gymnasium.register_envs(gymnasium_robotics)
    environment = minari.DataCollector(gymnasium.make("FetchPush-v4"))
    environment.action_space.seed(0)
    for episode in range(int(episodes)):
        environment.reset(seed=episode)
        done = False
        while not done:
            _, _, terminated, truncated, _ = environment.step(environment.action_space.sample())
            done = terminated or truncated
    environment.create_dataset("fetch/recorded-v0", algorithm_name="random", description="")


def minari_uses(root, name):
    """Everything that Minari does with a dataset; prints what it found."""
    os.environ["MINARI_DATASETS_PATH"] = root
    import minari
    from typer.testing import CliRunner
    from minari.cli import app
    dataset = minari.load_dataset(name)
    assert dataset.recover_environment().spec.id == "FetchPush-v4"
    all_episodes = list(dataset.iterate_episodes())
    for episode in all_episodes:
        repr(episode)
        assert dataset.spec.observation_space.contains({key: values[0] for key, values in episode.observations.items()})
        assert all(dataset.spec.action_space.contains(action) for action in episode.actions)
    assert len(dataset.sample_episodes(3)) == 3
    filtered = dataset.filter_episodes(lambda episode: episode.id % 2 == 0)
    first, second = minari.split_dataset(dataset, [2, len(all_episodes) - 2], seed=1)
    assert (first.total_episodes, second.total_episodes) == (2, len(all_episodes) - 2)
    both = minari.combine_datasets([dataset, dataset], "fetch/both-v0")
    assert both.total_episodes == 2 * len(all_episodes)
    listed = CliRunner().invoke(app, ["list", "local"], env={"COLUMNS": "200"})
    shown = CliRunner().invoke(app, ["show", name], env={"COLUMNS": "200"})
    for result in (listed, shown):
        assert result.exit_code == 0 and name in result.output, result.output
    print(json.dumps({
        "episodes": len(all_episodes), "steps": int(dataset.total_steps), "even": filtered.total_episodes,
        "seeds": [int(metadata["seed"]) for metadata in dataset.storage.get_episode_metadata(range(len(all_episodes)))],
        "types": {key: str(values.dtype) for key, values in all_episodes[0].observations.items()}}))


def robomimic_uses(file, with_masks):
    """robomimic's own SequenceDataset over all demos and over each mask; prints lengths, and sums of what it gives."""
    import h5py
    with contextlib.redirect_stdout(io.StringIO()):
        import robomimic.utils.obs_utils as obs_utils
        from robomimic.utils.dataset import SequenceDataset
        obs_utils.initialize_obs_utils_with_obs_specs([{"obs": {"low_dim": ["observation", "achieved_goal", "desired_goal"]}}])
    found = {}
    for mask in [None] + (["train", "valid"] if with_masks == "masks" else []):
        for cache in (None, "all"):
            data = SequenceDataset(
                hdf5_path=file, obs_keys=("observation", "achieved_goal", "desired_goal"), dataset_keys=("actions", "rewards", "dones"),
                frame_stack=2, seq_length=3, goal_mode="last", hdf5_cache_mode=cache, filter_by_attribute=mask)
            sums = [0.0] * 3
            for item in map(data.__getitem__, range(len(data))):
                sums[0] += float(numpy.sum(item["obs"]["observation"]))
                sums[1] += float(numpy.sum(item["goal_obs"]["achieved_goal"]))
                sums[2] += float(numpy.sum(item["actions"]))
            found[f"{mask}-{cache}"] = [len(data), data.n_demos] + sums
        assert found[f"{mask}-None"] == found[f"{mask}-all"]
    with h5py.File(file) as source:
        arguments = json.loads(source["data"].attrs["env_args"])
        lengths = [int(source[f"data/demo_{k}"].attrs["num_samples"]) for k in range(len(source["data"]))]
        assert int(source["data"].attrs["total"]) == sum(lengths)
    print(json.dumps({"found": {key.split("-")[0]: value for key, value in found.items()}, "name": arguments["env_name"], "lengths": lengths}))


globals()[sys.argv[1]](*sys.argv[2:])
