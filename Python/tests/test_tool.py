"""The tool's verbs from Python."""

import os
import pathlib
import stat
import unittest
from unittest import mock

import goalpost
from goalpost.tool import flags
from tests.support import collected, folder, needs_tool


class FlagTests(unittest.TestCase):
    def test_options_become_flags(self):
        options = {
            "from_": "runs/a",
            "random_actions": 0.3,
            "online": True,
            "compress": False,
            "seed": None,
            "dataset": {"a": 0.9, "b": 0.1},
            "set": {"batchSize": 64, "hiddenWidths": [16, 16], "normalizer.isOn": True, "choosing": "sampled"},
            "measure": ["success", "return"],
            "output": pathlib.Path("x"),
            "noise": -1,
        }
        expected = (
            "--from runs/a --random-actions 0.3 --online --dataset a:0.9 --dataset b:0.1 --set batchSize=64"
            " --set hiddenWidths=[16,_16] --set normalizer.isOn=true --set choosing=sampled --measure success"
            " --measure return --output x --noise=-1"
        )
        self.assertEqual([word.replace(" ", "_") for word in flags(options)], expected.split())

    def test_a_tool_that_is_not_there(self):
        with mock.patch.dict(os.environ, {"PATH": "/nowhere"}):
            os.environ.pop("GOALPOST_TOOL", None)
            with self.assertRaisesRegex(goalpost.GoalpostError, "there is no goalpost on the path: build it"):
                goalpost.run("learners")
            os.environ["GOALPOST_TOOL"] = "/nowhere/goalpost"
            with self.assertRaisesRegex(
                goalpost.GoalpostError, "GOALPOST_TOOL is /nowhere/goalpost, which cannot be run"
            ):
                goalpost.run("learners")

    def test_the_path_is_searched_and_stderr_can_be_long(self):
        program = folder() / "bin/goalpost"
        program.parent.mkdir(exist_ok=True)
        program.write_text('#!/bin/sh\nyes progress | head -n 50000 >&2\necho "Error: it\'s $1" >&2\nexit 9\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        with mock.patch.dict(os.environ, {"PATH": f"{program.parent}:/usr/bin:/bin"}):
            os.environ.pop("GOALPOST_TOOL", None)
            with self.assertRaisesRegex(goalpost.GoalpostError, "^it's late$") as caught:
                goalpost.run("late")
        self.assertEqual(caught.exception.status, 9)


@needs_tool
class ToolTests(unittest.TestCase):
    def test_json_where_there_is_some_and_text_elsewhere(self):
        data = collected("point-reach", 2, name="tool-data")
        self.assertIn("rewards and successes", " ".join(goalpost.run("verify", data)["checked"]))
        self.assertTrue(goalpost.run("environments", "point-reach").startswith("point-reach "))

    def test_errors_are_the_tools_sentences(self):
        missing = folder() / "nowhere"
        with self.assertRaises(goalpost.GoalpostError) as caught:
            goalpost.run("verify", missing)
        self.assertEqual(caught.exception.status, 1)
        self.assertIn(str(missing), str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))
        with self.assertRaises(goalpost.GoalpostError) as caught:
            goalpost.run("verify", missing, replya="all")
        self.assertEqual(caught.exception.status, 64)
        self.assertRegex(str(caught.exception), "^Unknown option '--replya'")


if __name__ == "__main__":
    unittest.main()
