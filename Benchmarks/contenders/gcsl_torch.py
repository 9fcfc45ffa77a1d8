"""GCSL on its lunar lander in PyTorch and gymnasium: the loop of github.com/dibyaghosh/gcsl at cfae560, its first 12,000 steps.

As there, the first 10,000 steps are random, updates begin after 1,000, a policy acts row by row, two buffers of 20,000 trajectories are drawn from with numpy, each update is
followed by the loss on what is held out, and every 2,000 steps 50 episodes are rolled out. The lander is gymnasium's, whose hills
cost what flat ground does; the optimizer is fused, which the reference's PyTorch did not have.

Speaks as Benchmarks/Sources/contender/main.swift says; a piece of work is a run, and the amount is steps.
"""


import gymnasium
import numpy
import torch
from torch import nn

from serving import serve

LENGTH, STEPS, BATCH, ROOM = 50, 12_000, 256, 20_000
RANDOM, BEFORE_UPDATES, EVALUATION_EVERY, EVALUATION_EPISODES = 10_000, 1_000, 2_000, 50
GOAL = [0, 1, 4, 6, 7]
world = gymnasium.make("LunarLander-v3").unwrapped


class Buffer:
    def __init__(self):
        self.states = numpy.zeros((ROOM, LENGTH, 8), dtype=numpy.float32)
        self.actions = numpy.zeros((ROOM, LENGTH), dtype=numpy.int64)
        self.count = self.at = 0

    def add(self, states, actions):
        self.states[self.at], self.actions[self.at] = states, actions
        self.at = (self.at + 1) % ROOM
        self.count = min(self.count + 1, ROOM)

    def draw(self):
        episode = numpy.random.choice(self.count, BATCH)
        first = numpy.floor(numpy.random.random(BATCH) * (LENGTH - 1)).astype(int)
        second = numpy.floor(numpy.random.random(BATCH) * LENGTH).astype(int)
        second[first == second] += 1
        start, end = numpy.minimum(first, second), numpy.maximum(first, second)
        return self.states[episode, start], self.actions[episode, start], self.states[episode, end][:, GOAL]


def drawn_goal():
    goal = numpy.array([0.3 * numpy.random.randn(), 0, 0, 1, 1])
    if numpy.random.rand() > 0.5:
        goal[2:] = 0.2 * numpy.random.randn(), 0, 0
    return goal


def episode(network, greedy, uniform=False):
    goal = drawn_goal()
    state, _ = world.reset()
    states, actions = [], []
    for _ in range(LENGTH):
        states.append(state)
        row = torch.cat([torch.tensor(state[None], dtype=torch.float32), torch.tensor(goal[None], dtype=torch.float32)], 1)
        logits = network(row) * (0 if uniform else 1)
        chances = torch.softmax(logits, 1)
        action = chances.argmax(-1) if greedy else torch.distributions.Categorical(probs=chances).sample()
        actions.append(int(action))
        for _ in range(2):
            state = world.step(actions[-1])[0]
    reached = numpy.linalg.norm(states[-1][:2] - goal[:2]) < 0.08
    return numpy.stack(states), numpy.array(actions), reached


def loss_on(network, buffer):
    states, actions, goals = buffer.draw()
    rows = torch.cat([torch.tensor(states), torch.tensor(goals)], 1)
    return nn.functional.cross_entropy(network(rows), torch.tensor(actions))


def evaluate(network):
    return numpy.mean([episode(network, greedy=True)[2] for _ in range(EVALUATION_EPISODES)])


def run(replay, held_out, steps=STEPS):
    network = nn.Sequential(nn.Linear(13, 400), nn.ReLU(), nn.Linear(400, 300), nn.ReLU(), nn.Linear(300, 4))
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-4, fused=True)
    replay.count = replay.at = held_out.count = held_out.at = 0
    evaluate(network)
    done = 0
    while done < steps:
        states, actions, _ = episode(network, greedy=done >= RANDOM, uniform=done < RANDOM)
        (held_out if done > 0 and numpy.random.rand() < 0.2 else replay).add(states, actions)
        done += LENGTH
        if done > BEFORE_UPDATES:
            for _ in range(LENGTH):
                optimizer.zero_grad()
                loss = loss_on(network, replay)
                loss.backward()
                optimizer.step()
                float(loss.detach())
                if held_out.count:
                    float(loss_on(network, held_out).detach())
        if done % EVALUATION_EVERY == 0:
            evaluate(network)


torch.set_num_threads(1)
buffers = Buffer(), Buffer()
run(*buffers, steps=1_500)


def work():
    run(*buffers)
    return STEPS


serve(work)
