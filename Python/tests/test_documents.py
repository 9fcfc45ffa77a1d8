"""What the package's page shows runs as it stands there, and the package installs."""

import os
import re
import shutil
import subprocess
import sys
import unittest

import goalpost
from tests.support import CHECKOUT, blocks, collected, folder, needs_tool, needs_torch

PACKAGE = CHECKOUT / "Python"


class DocumentTests(unittest.TestCase):
    def python(self, *arguments, **options):
        found = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, **options)
        self.assertEqual(found.returncode, 0, found.stderr)
        return found.stdout

    @needs_tool
    @needs_torch
    def test_the_examples_run_one_after_the_other(self):
        here = folder() / "examples"
        demo = here / "runs/demo/data"
        demo.parent.mkdir(parents=True)
        shutil.copytree(collected("fetch-reach", 5, policy="scripted", noise=0.2, shard_episodes=2), demo)
        place = dict(os.environ) | {"PYTHONPATH": str(PACKAGE)}
        said = [self.python("-c", block, cwd=here, env=place) for block in blocks(PACKAGE / "README.md")]
        self.assertEqual(len(said), 3)
        self.assertIn("5 episodes, ", said[0])
        self.assertIn("(256, 10) (256, 3) -", said[1])
        self.assertRegex(said[2], r"wgcsl \[[^\n]*\] \(51, 2\)\n")
        self.assertRegex(said[2], r"no learner is called 'wgsl'.* 1\n$")

    @needs_tool
    def test_the_version_is_the_tools(self):
        tool = subprocess.run([goalpost.tool.tool(), "--version"], capture_output=True, text=True)
        self.assertIn(goalpost.__version__, re.findall(r"\d+\.\d+\.\d+", tool.stdout))

    def test_the_citation_is_of_this_version(self):
        lines = (CHECKOUT / "CITATION.cff").read_text().splitlines()
        self.assertIn(f"version: {goalpost.__version__}", lines)

    def test_it_installs_without_a_network(self):
        source, target = folder() / "source", folder() / "installed"
        # Where pip builds in the folder itself, that folder is not the checkout's.
        shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
        self.python(
            *"-m pip install --quiet --no-index --no-deps --no-build-isolation --disable-pip-version-check".split(),
            *["--target", str(target), str(source)],
        )
        line = "import goalpost; print(goalpost.__file__, goalpost.__version__)"
        said = self.python("-c", line, cwd=folder(), env={"PYTHONPATH": str(target)})
        self.assertEqual(said.split(), [str(target / "goalpost/__init__.py"), goalpost.__version__])
        self.assertTrue((target / "goalpost/py.typed").exists())

    def test_everything_public_says_what_it_is(self):
        for name in goalpost.__all__:
            thing = getattr(goalpost, name)
            parts = [thing] if callable(thing) else []
            parts += [part for key, part in vars(thing).items() if key[0] != "_" and callable(part)] if parts else []
            for part in parts:
                self.assertTrue(part.__doc__, f"{name}: {part}")


if __name__ == "__main__":
    unittest.main()
