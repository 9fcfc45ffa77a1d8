"""Relabelled batches beside `goalpost sample` and `goalpost train`, which draw the same rows."""

import collections
import itertools
import pickle
import unittest

import numpy

import goalpost
from goalpost.policies import read_safetensors
from goalpost.schemes import SCHEMES
from tests.support import collected, folder, needs_tool, needs_torch, plane, trained

ORIGINS = ["original", "current", "trajectory", "random"]


def mazes():
    """Episodes of two lengths, and goals that move in some."""
    short = collected("pointmaze-medium", 3, name="short", policy="scripted", goals="stitch")
    return [short, collected("pointmaze-medium", 2, name="long", policy="scripted", goals="navigate")]


@needs_tool
class SamplingTests(unittest.TestCase):
    def assertDrawsAlike(self, paths, scheme, weights=None, batches=4, seed=5):
        """Counts of origins, offsets and rewards, of rows that repeat and of pairs, equal the tool's."""
        named = [str(path) + (f":{weight}" if weights else "") for path, weight in zip(paths, weights or paths)]
        said = goalpost.run("sample", *named, scheme=scheme, batches=batches, seed=seed)
        drawn = goalpost.relabelled([goalpost.load_dataset(path) for path in paths], scheme, seed=seed, weights=weights)
        self.assertEqual(drawn.scheme, said["settings"])
        counts = {name: [collections.Counter(), collections.Counter(), 0, 0] for name in ("policy", "value")}
        repeated = pairs = 0
        for batch in itertools.islice(drawn, batches):
            size = len(batch.steps)
            rows = 1 if drawn.scheme["sharing"] != "none" else size
            for name, found in counts.items():
                origins, offsets, rewards = (
                    getattr(batch, f"{name}_{part}") for part in ("origins", "offsets", "rewards")
                )
                found[0].update(origins[:rows].tolist())
                inside = (origins[:rows] == goalpost.CURRENT) | (origins[:rows] == goalpost.TRAJECTORY)
                # The tool pairs a batch's first offsets with the origins that it counts.
                found[1].update(offsets[:rows][inside].tolist())
                found[2] += int((rewards == 0).sum())
                found[3] += size
            repeated += 1 - len({*zip(batch.sources, batch.episodes, batch.steps)}) / size
            pairs += len({*zip(batch.steps, batch.policy_offsets, batch.policy_origins)})
        for name, (origins, offsets, rewarded, rows) in counts.items():
            shares = {ORIGINS[k]: origins[k] / origins.total() for k in range(4)}
            self.assertEqual({share["origin"]: share["drawn"] for share in said[name]["shares"]}, shares)
            listed = {cell["offset"]: cell["drawn"] for cell in said[name]["offsets"] if cell["drawn"]}
            self.assertEqual(listed, dict(offsets))
            self.assertAlmostEqual(said[name]["rewardDensity"], rewarded / rows, places=12)
        self.assertAlmostEqual(said["duplicates"], repeated / batches, places=12)
        self.assertAlmostEqual(said["pairs"], pairs / batches, places=12)

    def test_every_scheme_draws_what_the_tool_draws(self):
        for scheme in SCHEMES:
            with self.subTest(scheme):
                self.assertDrawsAlike([plane()], scheme)

    def test_parameters_draw_what_the_tool_draws(self):
        for scheme in [
            "ogbench:discount=0,actor-random=0.4",
            "ogbench:discount=0,halves-ends=false,draw=episodes",
            "wgcsl:draw=steps,original=0.5,batch=100",
            "future:fraction=0.3",
            "pair-without-swap:shared=false,states=all",
            "random:form=observation",
        ]:
            with self.subTest(scheme):
                self.assertDrawsAlike([plane()], scheme)

    def test_datasets_together_and_by_weight(self):
        for scheme in ["hiql", "wgcsl:draw=steps", "random"]:
            with self.subTest(scheme):
                self.assertDrawsAlike(mazes(), scheme)
                self.assertDrawsAlike(mazes(), scheme, weights=[0.5, 0.25])

    def test_the_rows_that_a_learner_is_trained_on_are_the_same_to_the_bit(self):
        # A normaliser sums observations and value goals row by row, in 64 bits.
        for learner in ("wgcsl", "ddpg-her", "hiql"):
            run = trained(learner)
            tensors, _ = read_safetensors(run / "checkpoints/000000002/training.safetensors")
            scheme = goalpost.run("sample", plane(), learner=learner, batches=1)["settings"]
            drawn = goalpost.relabelled(goalpost.load_dataset(plane()), scheme, batch_size=16, seed=1)
            sums, squares = numpy.zeros(4), numpy.zeros(4)
            for batch in itertools.islice(drawn, 2):
                for row in numpy.concatenate([batch.observations, batch.value_goals], 1).astype(numpy.float64):
                    sums += row
                    squares += row * row
            with self.subTest(learner):
                self.assertTrue(numpy.array_equal(tensors["normalizer.sums"], sums))
                self.assertTrue(numpy.array_equal(tensors["normalizer.squares"], squares))

    def test_rows_are_what_they_say(self):
        data = [goalpost.load_dataset(path) for path in mazes()]
        batch = goalpost.relabelled(data, "hiql:subgoal-steps=7,actor-random=0.3", 200, 2).batch(3)
        episodes = [episode for one in data for episode in one]
        for row, (number, step) in enumerate(zip(batch.episodes, batch.steps)):
            episode = episodes[number]
            self.assertTrue((batch.observations[row] == episode.observations[step]).all())
            self.assertTrue((batch.next_observations[row] == episode.observations[step + 1]).all())
            self.assertTrue((batch.actions[row] == episode.actions[step]).all())
            low = min(step + 7, len(episode) - 1)
            self.assertTrue((batch.low_goals[row] == episode.achieved_goals[low]).all())
            if batch.policy_origins[row] == goalpost.TRAJECTORY:
                goal = step + 1 + batch.policy_offsets[row]
                self.assertTrue((batch.policy_goals[row] == episode.achieved_goals[goal]).all())
                self.assertTrue((batch.subgoals[row] == episode.achieved_goals[min(low, goal)]).all())
                self.assertTrue((batch.subgoal_observations[row] == episode.observations[min(low, goal)]).all())
        self.assertEqual(set(batch.value_origins), {goalpost.CURRENT, goalpost.TRAJECTORY, goalpost.RANDOM})
        asked = goalpost.relabelled(data, "original", 100, 2).batch(0)
        for row, (number, step) in enumerate(zip(asked.episodes, asked.steps)):
            goals = episodes[number].desired_goals
            self.assertTrue((asked.policy_goals[row] == (goals if goals.ndim == 1 else goals[step])).all())

    def test_a_batch_depends_on_its_number_alone(self):
        drawn = goalpost.relabelled(goalpost.load_dataset(plane()), "wgcsl", 64, 7)
        later = drawn.batch(5)
        drawn.batch(0)
        again = drawn.batch(5)
        self.assertTrue((later.policy_goals == again.policy_goals).all())
        self.assertFalse((later.steps == drawn.batch(4).steps).all())

    @needs_torch
    def test_a_dataset_of_pytorch_is_the_same_for_any_number_of_workers(self):
        import torch

        drawn = goalpost.relabelled(goalpost.load_dataset(plane()), "her-future", 8, 1)
        # What starts afresh opens the data by itself.
        again = pickle.loads(pickle.dumps(drawn.torch(5)))
        self.assertLess(len(pickle.dumps(again)), 2000)
        for workers in (0, 2):
            loader = torch.utils.data.DataLoader(drawn.torch(5), batch_size=None, num_workers=workers)
            batches = list(loader)
            self.assertTrue(torch.equal(again[3]["observations"], batches[3]["observations"]))
            self.assertEqual(len(batches), 5)
            for number, batch in enumerate(batches):
                expected = drawn.batch(number)
                self.assertNotIn("subgoals", batch)
                for name, tensor in batch.items():
                    self.assertTrue(numpy.array_equal(tensor.numpy(), getattr(expected, name)), name)

    def test_schemes_that_are_none(self):
        data = goalpost.load_dataset(plane())
        for scheme, sentence in [
            ("nothing", "must be one of original, wgcsl"),
            ("wgcsl:originl=1", "takes key=value with the keys"),
            ("wgcsl:original", "takes key=value"),
            ("wgcsl:original=2", "a share must be from 0 to 1, found 2"),
            ("wgcsl:original=nan", "original must be a finite number"),
            ("bounded:steps=0", "steps must be a whole number from 1 to"),
            ("ogbench:halves-ends=1", "halves-ends must be true or false"),
            ("ogbench:current=0.5", "must add up to 1"),
            ("ogbench:discount=1", "discount must be from 0 up to below 1"),
            ("wgcsl:form=observation", "data hold no observation of an original goal"),
            ("chop:states=none", "states must be one of all, beforeActions"),
            ({"policyGoals": {}}, "as `goalpost sample --json` prints it, found no 'valueGoals'"),
            ({"window": {"episode": {"steps": 5}}}, "windows of states are not drawn in Python"),
        ]:
            with self.subTest(scheme), self.assertRaisesRegex(goalpost.GoalpostError, sentence):
                goalpost.relabelled(data, scheme)
        with self.assertRaisesRegex(goalpost.GoalpostError, "'batch_size' must be a whole number from 1"):
            goalpost.relabelled(data, "wgcsl", batch_size=0)
        with self.assertRaisesRegex(goalpost.GoalpostError, "must be of the world point-reach, found pointmaze-medium"):
            goalpost.relabelled([data, goalpost.load_dataset(mazes()[0])], "wgcsl")

    def test_data_without_desired_goals(self):
        file, data = folder() / "plain.npz", folder() / "plain"
        goalpost.run("convert", mazes()[0], to="ogbench", output=file)
        goalpost.run("convert", file, environment="pointmaze-medium", output=data)
        opened = goalpost.load_dataset(data)
        self.assertEqual(opened.origin[0], "conversion")
        with self.assertRaisesRegex(goalpost.GoalpostError, "has no desired goals, of which the scheme draws some"):
            goalpost.relabelled(opened, "wgcsl")
        self.assertDrawsAlike([data], "ogbench")


if __name__ == "__main__":
    unittest.main()
