"""Policies beside the actions that the tool took with them."""

import functools
import json
import unittest

import numpy

import goalpost
from goalpost.policies import Codec
from goalpost.transformers import TransformerPolicy
from tests.support import BACKENDS, episodes_of, folder, lander, needs_tool, needs_torch, plane, side_by_side, trained

LEARNERS = (
    "goal-bc gcsl wgcsl goal-marvil ddpg ddpg-her td3-bc gcbc gcivl gciql hiql crl qrl lavl goal-transformer".split()
)
PART = "architecture."


def made(learner, name="", **settings):
    """A run on the plane, whose episodes are there too."""
    run = trained(learner, name, **settings)
    episodes_of(run)
    return run


@needs_tool
class PolicyTests(unittest.TestCase):
    def assertActsAlike(self, run, distinct=20, environment="point-reach"):
        """Both backends take the actions that the tool took in the same states."""
        data = goalpost.load_dataset(episodes_of(run, environment))
        for backend in BACKENDS:
            policy = goalpost.load_policy(run, backend)
            for episode in data[: 2 if backend == "numpy" else 1]:
                actor = policy.begin(episode.desired_goals, seed=int(episode["seeds"]))
                found = numpy.array([actor.act(observation) for observation in episode.observations[:-1]])
                self.assertEqual(found.shape, episode.actions.shape)
                self.assertLess(numpy.abs(found - episode.actions).max(), 1e-5, backend)
        self.assertGreaterEqual(len(numpy.unique(data.column("actions"))), distinct)
        return policy

    def test_every_learner(self):
        listed = [line.split()[0] for line in goalpost.run("learners").splitlines()[1:] if line[:1].isalpha()]
        self.assertEqual(sorted(listed), sorted(LEARNERS))
        plane()
        jobs = [functools.partial(made, learner) for learner in LEARNERS]
        for learner, run in zip(LEARNERS, side_by_side(jobs)):
            with self.subTest(learner):
                self.assertActsAlike(run)

    def test_heads_of_choices(self):
        cases = [
            ("lunar-lander", lander(), {"choosing": "sampled", "stepsLeft": True}, 3),
            ("point-reach", plane(), {"actions": "discretized", "bins": 5, "choosing": "sampled"}, 5),
            ("point-reach", plane(), {"actions": "discretized", "jointLimit": 2, "choosing": "sampled"}, 3),
        ]
        for number, (environment, data, settings, distinct) in enumerate(cases):
            with self.subTest(settings):
                run = trained("gcsl", f"choices-{number}", data, **settings)
                self.assertActsAlike(run, distinct, environment)

    def test_goals_as_observations_and_dual_goals(self):
        settings = {"goalForm": "observation", "goalRepresentation.kind": "dual", "goalRepresentation.width": 8}
        self.assertActsAlike(trained("gciql", "dual", **settings))

    def test_forms_of_transformers(self):
        pairs = {"pairs": "future"}
        every = {"objectives.imitation.actions": "all"}
        forms = {
            "attention": {"keys": "token", "goal": "embedding"},
            "mlp": {},
            "branches": {"goalWidths": [8]},
            "tokens": {"conditioning": "gate", "postInTokens": True, "positions": "sinusoidal", "normFirst": False},
            "decoder": {"history": 4, "positions": "learned", "conditioning": "film", "activation": "gelu"},
            "trajectory": {"mask": "random-goal", "positions": "sinusoidal"},
            "trajectory-decoder": {"mask": "ahead", "positions": "learned"},
            "trajectory-tokens": {"positions": "learned", "positionsOf": "actions", "heads": 2},
            "interleaved": {"positions": "learned", "tiesActions": True, "readsGoal": True},
            "prompted": {"positions": "learned"},
            "action-encoder": {"actionTokens": 3},
            "planner": {"history": 4, "positions": "learned", "waypoints": 3},
        }
        plane()
        jobs = []
        for form, parts in forms.items():
            settings = {PART + "form": form} | {PART + key: part for key, part in parts.items()}
            settings |= pairs if form in ("interleaved", "prompted", "planner") else {}
            settings |= every if form.startswith("trajectory") else {}
            jobs.append(functools.partial(made, "goal-transformer", f"gt-{form}", **settings))
        for form, run in zip(forms, side_by_side(jobs)):
            with self.subTest(form):
                self.assertIsInstance(self.assertActsAlike(run), TransformerPolicy)

    def test_a_transformer_that_chooses_and_its_teacher(self):
        settings = {"choosing": "sampled", "objectives.teacher.role": "evaluating", "normalizes": True, "goals": "full"}
        settings |= {PART + "form": "interleaved", PART + "mask": "ahead", PART + "positions": "learned"}
        run = trained("goal-transformer", "gt-chooses", lander(), **settings)
        self.assertActsAlike(run, 3, "lunar-lander")

    def test_rows_are_what_episodes_are(self):
        for learner in ("hiql", "goal-transformer"):
            run = made(learner)
            episode = goalpost.load_dataset(episodes_of(run))[0]
            for backend in BACKENDS:
                policy = goalpost.load_policy(run, backend)
                rows = policy.arrays.to_numpy(policy(episode.observations[:-1], episode.desired_goals))
                self.assertLess(numpy.abs(rows - episode.actions).max(), 1e-5)
                one = policy.arrays.to_numpy(policy(episode.observations[3], episode.desired_goals))
                self.assertLess(numpy.abs(one - episode.actions[3]).max(), 1e-5)

    @needs_torch
    def test_gradients_reach_the_parameters(self):
        run = trained("wgcsl")
        policy = goalpost.load_policy(run, "torch")
        weight = policy.parameters["actor.0.weight"].requires_grad_()
        policy(numpy.zeros((5, 2)), numpy.ones((5, 2))).sum().backward()
        self.assertGreater(float(weight.grad.abs().sum()), 0)

    def test_paths_that_mean_a_policy(self):
        run = trained("gcbc")
        last = run / "checkpoints/000000002"
        for path in (run, str(last), last / "policy.safetensors"):
            policy = goalpost.load_policy(path)
            self.assertEqual([policy.learner, policy.head["updates"]], ["gcbc", 2])
            self.assertEqual(policy.task.identifier, "point-reach")

    def test_what_is_no_policy(self):
        run = trained("gcbc")
        good = (run / "checkpoints/000000002/policy.safetensors").read_bytes()
        size = int.from_bytes(good[:8], "little")
        head = json.loads(good[8 : 8 + size])
        text = json.loads(head["__metadata__"]["goalpost"])
        file = folder() / "bad.safetensors"

        def write(alter, body=good[8 + size :]):
            here = json.loads(json.dumps([head, text]))
            alter(*here)
            here[0]["__metadata__"]["goalpost"] = json.dumps(here[1])
            data = json.dumps(here[0]).encode()
            file.write_bytes(len(data).to_bytes(8, "little") + data + body)

        def put(key, value):
            return lambda head, text: (head if key in head else text).update({key: value})

        bias = head["actor.0.bias"]
        cases = [
            (put("actor.0.bias", bias | {"dtype": "BF16"}), "'actor.0.bias' must be of a type that is known here"),
            (put("actor.0.bias", bias | {"shape": [1 << 50]}), "must be a whole number"),
            (put("actor.0.bias", bias | {"shape": [1 << 39]}), "'actor.0.bias' must lie within the file"),
            (put("actor.0.bias", bias | {"data_offsets": [-4, 60]}), "must lie within the file"),
            (put("actor.0.bias", 3), "must have a head as safetensors have"),
            (lambda head, text: head.pop("actor.0.bias"), "found: no 'actor.0.bias'"),
            (put("settings", {}), "found: no 'normalizer'"),
            (put("settings", 7), "head and weights must be those of a policy"),
            (
                lambda head, text: text["task"]["spec"].update(observation=3),
                "head and weights must be those of a policy",
            ),
            (lambda head, text: text["task"]["spec"].update(observation=1 << 40), "'task.spec.observation' must be"),
        ]
        for alter, sentence in cases:
            write(alter)
            with self.subTest(sentence), self.assertRaisesRegex(goalpost.GoalpostError, sentence):
                goalpost.load_policy(file)
        file.write_bytes(b"\xff" * 40)
        with self.assertRaisesRegex(goalpost.GoalpostError, "must have the head that it promises"):
            goalpost.load_policy(file)
        for path in (folder() / "nowhere", plane()):
            with self.assertRaisesRegex(goalpost.GoalpostError, "must be a run, a checkpoint or its policy"):
                goalpost.load_policy(path)
        with self.assertRaisesRegex(goalpost.GoalpostError, "backend: must be numpy or torch, found 'jax'"):
            goalpost.load_policy(run, "jax")

    def test_observations_of_another_length(self):
        policy = goalpost.load_policy(trained("gcbc"))
        with self.assertRaisesRegex(goalpost.GoalpostError, r"a goal has 2 numbers, found \(3,\)"):
            policy.begin(numpy.zeros(3))
        with self.assertRaisesRegex(goalpost.GoalpostError, r"an observation has 2 numbers, found \(1,\)"):
            policy.begin(numpy.zeros(2)).act(numpy.zeros(1))

    def test_choices_lead_to_actions_and_back(self):
        task = goalpost.load_dataset(plane()).task
        for limit, heads in [(100, 1), (2, 2)]:
            codec = Codec(task, 3, limit)
            for choices in numpy.ndindex(*[codec.classes] * heads):
                features = codec.features(codec.action(list(choices))).reshape(heads, codec.classes)
                self.assertEqual(tuple(features.argmax(1)), choices)


if __name__ == "__main__":
    unittest.main()
