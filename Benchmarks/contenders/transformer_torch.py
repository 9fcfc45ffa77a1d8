"""A transformer's update in eager PyTorch, to be timed beside `contender transformer`.

The same model: pre-norm blocks with fused attention, exact GELU, fused Adam. Trained by regression on
one random batch of 256 sequences: of 3 tokens (width 256, 8 heads) or of 50, causal (width 128, 4 heads).

usage: transformer_torch.py [--tokens 3|50] [--threads 1]
Prints `ready`; then for each line of stdin with a number of seconds runs updates for that long and
prints `updates seconds`.
"""

import argparse

import torch
from torch import nn
from torch.nn import functional

from serving import serve

BATCH, BLOCKS = 256, 2


class Block(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widening, self.narrowing = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        parts = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        attended = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        x = x + self.output(attended.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.narrowing(functional.gelu(self.widening(self.norm2(x))))


class Three(nn.Module):
    """Observation, action and goal; the action is read."""

    def __init__(self, width=256):
        super().__init__()
        self.observation, self.goal = nn.Linear(25, width), nn.Linear(3, width)
        self.action = nn.Parameter(torch.zeros(1, width))
        self.places = nn.Parameter(torch.zeros(1, 3, width))
        self.blocks = nn.Sequential(*(Block(width, 8, False) for _ in range(BLOCKS)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 4)

    def forward(self, observations, goals):
        action = self.action.expand(len(goals), -1)
        tokens = torch.stack([self.observation(observations), action, self.goal(goals)], 1)
        return self.head(self.norm(self.blocks(tokens + self.places)[:, 1]))


class Fifty(nn.Module):
    """Steps of a trajectory, each of which sees those before it."""

    def __init__(self, width=128):
        super().__init__()
        self.step = nn.Linear(28, width)
        self.places = nn.Parameter(torch.zeros(1, 50, width))
        self.blocks = nn.Sequential(*(Block(width, 4, True) for _ in range(BLOCKS)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 4)

    def forward(self, steps):
        return self.head(self.norm(self.blocks(self.step(steps) + self.places)))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--tokens", type=int, choices=[3, 50], default=3)
    options.add_argument("--threads", type=int, default=1)
    options = options.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    if options.tokens == 3:
        model = Three()
        inputs, actions = (torch.randn(BATCH, 25), torch.randn(BATCH, 3)), torch.randn(BATCH, 4)
    else:
        model = Fifty()
        inputs, actions = (torch.randn(BATCH, 50, 28),), torch.randn(BATCH, 50, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4, fused=True)

    def update():
        loss = functional.mse_loss(model(*inputs), actions)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return 1

    for _ in range(3):
        update()
    serve(update)


main()
