"""WGCSL's update, or GCSL's, in eager PyTorch, to be timed beside `Sources/Learners/ActorCritic/WGCSL.swift`.

Networks, losses, weights, normaliser and optimizer are the same; the sampler is left out, so every
update takes the same random batch of FetchPush's sizes. Written as one would write it for speed without
compiling: fused Adam, one critic pass for both values of the advantage, foreach for the targets.

usage: wgcsl_torch.py [--batch 512] [--threads 1] [--learner wgcsl|gcsl]
Prints `ready`; then for each line of stdin with a number of seconds runs updates for that long and
prints `updates seconds`.
"""

import argparse

import torch
from torch import nn

from serving import serve

OBSERVATION, GOAL, ACTION, WIDTH, HORIZON = 25, 3, 4, 256, 50
DISCOUNT = 1 - 1 / HORIZON
QUEUE, STEP, LIMIT, OTHER, CLIP = 50_000, 0.01, 80.0, 0.05, 10.0
BATCHES_PER_CYCLE, KEEP, RATE = 20, 0.9, 5e-4


def network(inputs, outputs):
    widths = [inputs, WIDTH, WIDTH, WIDTH, outputs]
    layers = []
    for a, b in zip(widths, widths[1:]):
        layer = nn.Linear(a, b)
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])


class Normalizer:
    """Running mean and deviation of the numbers in a row."""

    def __init__(self, length):
        self.count = 1.0
        self.sums = torch.zeros(length, dtype=torch.float64)
        self.squares = torch.zeros(length, dtype=torch.float64)
        self.mean, self.deviation = torch.zeros(length), torch.ones(length)

    def __call__(self, observations, goals):
        rows = torch.cat([observations, goals], 1).clamp_(-200, 200)
        return rows.sub_(self.mean).div_(self.deviation).clamp_(-5, 5)

    def update(self, observations, goals):
        rows = torch.cat([observations, goals], 1).clamp_(-200, 200).double()
        self.count += len(rows)
        self.sums += rows.sum(0)
        self.squares += rows.square().sum(0)
        mean = self.sums / self.count
        variance = self.squares / self.count - mean.square()
        self.mean, self.deviation = mean.float(), variance.clamp_(min=1e-8).sqrt_().float()


class Learner:
    def __init__(self, batch):
        row = OBSERVATION + GOAL
        self.actor, self.critic = network(row, ACTION), network(row + ACTION, 1)
        self.target_actor, self.target_critic = network(row, ACTION), network(row + ACTION, 1)
        self.target_actor.load_state_dict(self.actor.state_dict())
        self.target_critic.load_state_dict(self.critic.state_dict())
        self.main = [*self.actor.parameters(), *self.critic.parameters()]
        self.targets = [*self.target_actor.parameters(), *self.target_critic.parameters()]
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=RATE, fused=True)
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=RATE, fused=True)
        self.normalizer = Normalizer(row)
        self.queue, self.filled, self.at = torch.zeros(QUEUE), 0, 0
        self.updates = 0

        self.o, self.o2 = torch.randn(batch, OBSERVATION), torch.randn(batch, OBSERVATION)
        self.g, self.vg = torch.randn(batch, GOAL), torch.randn(batch, GOAL)
        self.a = torch.rand(batch, ACTION) * 2 - 1
        self.r = (torch.rand(batch, 1) < 0.1).float()
        self.vr = (torch.rand(batch, 1) < 0.1).float()
        self.offset = torch.randint(0, HORIZON, (batch, 1)).float()

    def threshold(self, advantages):
        flat = advantages.reshape(-1)
        place = (self.at + torch.arange(len(flat))) % QUEUE
        self.queue[place] = flat
        self.at = (self.at + len(flat)) % QUEUE
        self.filled = min(self.filled + len(flat), QUEUE)
        percentile = min(self.updates * STEP, LIMIT)
        return torch.quantile(self.queue[: self.filled], percentile / 100)

    def update(self):
        self.updates += 1
        row = self.normalizer(self.o, self.g)
        chosen = self.actor(row).tanh()
        with torch.no_grad():
            next_row = self.normalizer(self.o2, self.g)
            rows = torch.cat([row, next_row])
            actions = torch.cat([chosen, self.actor(next_row).tanh()])
            value, next_value = self.critic(torch.cat([rows, actions], 1)).chunk(2)
            advantage = self.r + DISCOUNT * next_value - value
            weight = DISCOUNT**self.offset * advantage.exp().clamp_(max=CLIP)
            weight *= torch.where(advantage >= self.threshold(advantage), 1.0, OTHER)
        loss = (weight * (chosen - self.a).square()).mean()
        self.actor_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.actor_optimizer.step()

        self.normalizer.update(self.o, self.vg)

        with torch.no_grad():
            next_row = self.normalizer(self.o2, self.vg)
            actions = self.target_actor(next_row).tanh()
            value = self.target_critic(torch.cat([next_row, actions], 1))
            bound = 1 / (1 - DISCOUNT)
            target = (self.vr + DISCOUNT * value).clamp_(-bound, bound)
        row = self.normalizer(self.o, self.vg)
        loss = nn.functional.mse_loss(self.critic(torch.cat([row, self.a], 1)), target)
        self.critic_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.critic_optimizer.step()

        if self.updates % BATCHES_PER_CYCLE == 0:
            with torch.no_grad():
                torch._foreach_lerp_(self.targets, self.main, 1 - KEEP)


class Imitator(Learner):
    """GCSL: the policy's step alone, every row with the same weight."""

    def update(self):
        chosen = self.actor(self.normalizer(self.o, self.g)).tanh()
        loss = nn.functional.mse_loss(chosen, self.a)
        self.actor_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.actor_optimizer.step()
        self.normalizer.update(self.o, self.vg)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--batch", type=int, default=512)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--learner", choices=["wgcsl", "gcsl"], default="wgcsl")
    options = options.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    learner = (Learner if options.learner == "wgcsl" else Imitator)(options.batch)
    for _ in range(20):
        learner.update()

    def work():
        for _ in range(10):
            learner.update()
        return 10

    serve(work)


main()
