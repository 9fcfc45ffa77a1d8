"""Datasets as numpy views, and what is no dataset."""

import shutil
import unittest

import h5py
import numpy

import goalpost
from tests.support import CHECKOUT, altered, collected, copied, folder, needs_tool, resealed


def compressed():
    return collected("lunar-lander", 4, name="packed", compress=True)


def sharded():
    return collected("fetch-reach", 5, policy="scripted", noise=0.2, shard_episodes=2)


@needs_tool
class DatasetTests(unittest.TestCase):
    def test_columns_are_what_h5py_reads(self):
        for path in (sharded(), compressed()):
            data = goalpost.load_dataset(path, verify=True)
            for name in data.columns:
                parts = []
                for shard in data.manifest["shards"]:
                    with h5py.File(path / shard["file"]) as file:
                        parts.append(file[name][...])
                self.assertTrue(numpy.array_equal(data.column(name), numpy.concatenate(parts)), name)
                self.assertEqual(data.column(name).dtype, parts[0].dtype)

    def test_uncompressed_columns_are_mapped_and_read_only(self):
        data = goalpost.load_dataset(sharded())
        for piece in data.pieces("observations") + [data[0].observations]:
            base = piece
            while isinstance(base.base, numpy.ndarray):
                base = base.base
            self.assertIsInstance(base, numpy.memmap)
            with self.assertRaises(ValueError):
                piece[0] = 0
        with self.assertRaises(ValueError):
            goalpost.load_dataset(compressed()).pieces("observations")[0][0] = 0

    def test_episodes_over_several_shards(self):
        data = goalpost.load_dataset(sharded())
        self.assertEqual([len(data), len(data.shards)], [5, 3])
        self.assertEqual([episode.index for episode in data], list(range(5)))
        self.assertEqual([episode.index for episode in data[1:5:2]], [1, 3])
        self.assertEqual(data[-1].index, data.episode(4).index)
        observations = data.column("observations")
        first = 0
        for episode, length in zip(data, data.lengths):
            self.assertEqual(len(episode), length)
            self.assertEqual(episode.actions.shape, (length, 4))
            self.assertTrue(numpy.array_equal(episode.observations, observations[first : first + length + 1]))
            self.assertEqual(episode.desired_goals.shape, (3,))
            first += length + 1
        for place in (5, -6):
            with self.assertRaises(IndexError):
                data[place]

    def test_goals_that_move_have_a_row_for_each_state(self):
        data = goalpost.load_dataset(collected("pointmaze-medium", 2, policy="scripted", goals="stitch"))
        moving = goalpost.load_dataset(
            collected("pointmaze-medium", 2, name="moving", policy="scripted", goals="navigate")
        )
        self.assertEqual(data[1].desired_goals.shape, (2,))
        self.assertEqual(moving[1].desired_goals.shape, (len(moving[1]) + 1, 2))

    def test_rewards_returns_and_successes_follow_from_the_task(self):
        for path in (sharded(), compressed()):
            data = goalpost.load_dataset(path)
            totals = data.manifest["totals"]
            self.assertEqual(data.returns.sum(), totals["returnSum"])
            self.assertEqual(data.successes.sum(), totals["successesAtEnd"])
            for episode in data:
                achieved = episode.achieved_goals[1:]
                self.assertTrue(numpy.array_equal(data.task.reward(achieved, episode.desired_goals), episode.rewards))
                reached = data.task.is_reached(achieved, episode.desired_goals)
                self.assertTrue(numpy.array_equal(reached, episode["successes"] == 1))
        self.assertTrue(any(episode.success for episode in goalpost.load_dataset(sharded())))

    def test_other_measures_of_distance(self):
        for environment, measure in [("claw", "angle"), ("gap-blocks", "farthest-place")]:
            data = goalpost.load_dataset(collected(environment, 2))
            self.assertEqual(data.task.measure, measure)
            for episode in data:
                found = data.task.reward(episode.achieved_goals[1:], episode.desired_goals)
                self.assertTrue(numpy.array_equal(found, episode.rewards))

    def test_where_it_comes_from(self):
        data = goalpost.load_dataset(sharded())
        self.assertEqual([data.origin[0], data.origin[1]["policy"]], ["recipe", "scripted"])
        self.assertEqual(data.provenance["parts"][0]["episodes"], 5)
        self.assertIn(data.digest, (sharded() / "manifest.json").read_text())
        mixed = folder() / "mixed"
        goalpost.run("mix", sharded(), episodes=3, seed=0, output=mixed)
        self.assertEqual(goalpost.load_dataset(mixed).origin[0], "mixture")

    def test_a_changed_byte_is_found_by_verifying(self):
        data = copied(sharded(), "changed")
        shard = data / "shards/shard-00001.h5"
        content = bytearray(shard.read_bytes())
        with h5py.File(shard) as file:
            content[file["observations"].id.get_offset()] ^= 1
        shard.write_bytes(content)
        opened = goalpost.load_dataset(data)
        for verify in (opened.verify, lambda: goalpost.load_dataset(data, verify=True)):
            with self.assertRaisesRegex(
                goalpost.GoalpostError, "shard-00001.h5: its SHA-256 must be [0-9a-f]{64}, found"
            ):
                verify()
        shard.write_bytes(content[:-1])
        with self.assertRaisesRegex(goalpost.GoalpostError, r"must have \d+ bytes, found"):
            goalpost.load_dataset(data)

    def test_hostile_manifests(self):
        def at(*path):
            def put(value):
                def alter(manifest):
                    here = manifest
                    for key in path[:-1]:
                        here = here[key]
                    here[path[-1]] = value

                return alter

            return put

        cases = [
            (at("schema")(2), "knows schema 1, found 2"),
            (at("shards")([]), "must list from 1 to 2\\^20 shards"),
            (at("shards", 0, "file")("../other.h5"), "must name shard 0, found ../other.h5"),
            (at("shards", 0, "steps")(1 << 60), "'steps' must be a whole number from 1 to"),
            (at("shards", 0, "steps")(True), "'steps' must be a whole number from 1 to"),
            (at("shards", 0, "bytes")(1 << 49), "must have 562949953421312 bytes, found"),
            (at("shards", 0, "episodes")("0-4000000000"), "'number of episodes' must be a whole number"),
            (at("shards", 0, "episodes")("1-0"), "'episodes' must ascend"),
            (at("shards", 0, "episodes")("0" * 5000), "'episodes' must be as in 0-499,700"),
            (at("shards", 0, "episodes")("3-4"), "'episode_indices' must be the listed ones"),
            (at("shards", 0, "sha256")("x"), "'sha256' must be 64 hexadecimal digits"),
            (at("totals", "steps")(7), "must total 5 episodes, 250 steps"),
            (at("columns", "../x")({"type": "f32"}), "'columns' must be paths of columns"),
            (at("columns", "extra/there")({"type": "f32"}), "'extra/there' must be there"),
            (at("columns", "rewards")({"type": "f64"}), "'rewards': must be f64, found float32"),
            (at("columns", "rewards")({"type": "object"}), "must have a type of numbers"),
            (at("columns", "actions")({}), "must list the column 'actions'"),
            (at("task", "spec", "observation")(1 << 40), "'task.spec.observation' must be a whole number"),
            (at("task", "spec", "observation")(11), "'observations': must have the shape"),
            (at("task", "goalIndices")([99, 0, 0]), "'task.goalIndices' must be a whole number from 0 to 9"),
            (at("task", "spec", "action")({"discrete": {"count": -1}}), "must be a whole number from 1"),
            (at("task")(None), "'task' must be values by name"),
            (at("recipe")(0), "must have one of recipe, mixture, conversion"),
            (lambda manifest: {"schema": 1}, "must list from 1"),
        ]
        for number, (alter, sentence) in enumerate(cases):
            data = copied(sharded(), f"hostile-{number}")
            altered(data, alter)
            with self.subTest(sentence), self.assertRaisesRegex(goalpost.GoalpostError, sentence) as caught:
                goalpost.load_dataset(data)
            self.assertNotIn("\n", str(caught.exception))

    def test_a_manifest_that_is_none(self):
        data = copied(sharded(), "unsealed")
        file = data / "manifest.json"
        whole = file.read_bytes()
        for content, sentence in [
            (b"", "must end with its own SHA-256, found b''"),
            (whole[:-10], "must end with its own SHA-256"),
            (whole.replace(b"scripted", b"expertly"), "its SHA-256 must be"),
        ]:
            file.write_bytes(content)
            with self.assertRaisesRegex(goalpost.GoalpostError, sentence):
                goalpost.load_dataset(data)
        with self.assertRaisesRegex(goalpost.GoalpostError, "a dataset is a folder with a manifest, found nothing"):
            goalpost.load_dataset(data / "nowhere")

    def test_hostile_shards(self):
        def replaced(name, **options):
            def alter(file):
                del file[name]
                file.create_dataset(name, **options)

            return alter

        def soft(file):
            file.move("rewards", "real")
            file["rewards"] = h5py.SoftLink("/real")

        def virtual(file):
            rows = file["rewards"].shape[0]
            layout = h5py.VirtualLayout((rows,), "f4")
            layout[:] = h5py.VirtualSource("/etc/hostname", "x", (rows,))
            del file["rewards"]
            file.create_virtual_dataset("rewards", layout)

        def lengths(file):
            file["episode_lengths"][0] = -1

        bomb = {"shape": (100,), "dtype": "f4", "maxshape": (None,), "chunks": (1 << 27,), "compression": "gzip"}
        cases = [
            (soft, "'rewards' must be held by the file itself, found a link"),
            (virtual, "'rewards': must hold its own elements"),
            (replaced("rewards", shape=(100,), dtype="f4", external="/etc/hostname"), "'rewards': must hold its own"),
            (replaced("rewards", shape=(100,), dtype=">f4"), "'rewards': must be f32, found >f4"),
            (replaced("rewards", shape=(99,), dtype="f4"), "'rewards': must have the shape"),
            (replaced("rewards", **bomb), "'rewards': its shape must fit a file of"),
            (replaced("rewards", shape=(100,), dtype="f4", chunks=(100,), compression="lzf"), "by shuffle and deflate"),
            (lengths, "'episode_lengths' must be at least 1 each and 100 in all"),
        ]
        for number, (alter, sentence) in enumerate(cases):
            data = copied(sharded(), f"shard-{number}")
            with h5py.File(data / "shards/shard-00000.h5", "r+") as file:
                alter(file)
            resealed(data)
            with self.subTest(sentence), self.assertRaisesRegex(goalpost.GoalpostError, sentence):
                goalpost.load_dataset(data)
        data = copied(sharded(), "cut")
        shard = data / "shards/shard-00000.h5"
        shard.write_bytes(shard.read_bytes()[:3000])
        resealed(data)
        with self.assertRaisesRegex(goalpost.GoalpostError, "must be readable as HDF5, found"):
            goalpost.load_dataset(data)

    def test_a_card_without_its_shards_says_how_they_are_made(self):
        card = CHECKOUT / "datasets/fetch-reach-scripted-v0"
        data = folder() / card.name
        data.mkdir()
        for name in ("manifest.json", "recipe.yaml"):
            shutil.copy(card / name, data)
        with self.assertRaisesRegex(
            goalpost.GoalpostError, "shard-00000.h5: must be there, .*: `goalpost collect .*yaml`"
        ):
            goalpost.load_dataset(data)

    def test_a_column_that_is_not_there(self):
        with self.assertRaisesRegex(goalpost.GoalpostError, "has no column 'images'; it has achieved_goals, actions"):
            goalpost.load_dataset(sharded())[0]["images"]


if __name__ == "__main__":
    unittest.main()
