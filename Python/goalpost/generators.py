"""The generators that the tool draws from, to the bit."""

from __future__ import annotations

import math
from typing import Callable

_WORD = (1 << 64) - 1


class Philox:
    """Philox4x64-10: a draw is a function of seed, purpose, index and place.

    Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, doi:10.1145/2063384.2063405.
    """

    def __init__(self, seed: int, purpose: int, index: int = 0) -> None:
        self._key, self._index = (seed, purpose), index
        self._block = 0
        self._left: list[int] = []

    def next(self) -> int:
        """The next 64 bits."""
        if not self._left:
            a, b, c, d = self._block, self._index, 0, 0
            k0, k1 = self._key
            for _ in range(10):
                low, high = a * 0xD2E7470EE14C6C93, c * 0xCA5A826395121157
                a, b, c, d = (high >> 64) ^ b ^ k0, high & _WORD, (low >> 64) ^ d ^ k1, low & _WORD
                k0, k1 = (k0 + 0x9E3779B97F4A7C15) & _WORD, (k1 + 0xBB67AE8584CAA73B) & _WORD
            self._block, self._left = self._block + 1, [d, c, b, a]
        return self._left.pop()

    def unit(self) -> float:
        """A number in [0, 1), with 53 random bits."""
        return (self.next() >> 11) * 2.0**-53


def xoshiro256(seed: int) -> Callable[[], int]:
    """The next 64 bits of xoshiro256**, call by call, whose state SplitMix64 fills from a seed.

    Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 2021, arXiv:1805.01407.
    """
    state, words = seed & _WORD, []
    for _ in range(4):
        state = (state + 0x9E3779B97F4A7C15) & _WORD
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
        words.append(z ^ (z >> 31))
    a, b, c, d = words

    def draw() -> int:
        nonlocal a, b, c, d
        product = (b * 5) & _WORD
        result = ((((product << 7) & _WORD) | (product >> 57)) * 9) & _WORD
        shifted = (b << 17) & _WORD
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = ((d << 45) & _WORD) | (d >> 19)
        return result

    return draw


def below(draw: Callable[[], int], count: int) -> int:
    """A whole number from 0 up to below `count`."""
    return (draw() * count) >> 64


def unit(draw: Callable[[], int]) -> float:
    """A number in [0, 1), with 53 random bits."""
    return (draw() >> 11) * 2.0**-53


def limit(probability: float) -> int:
    """The least whole number that is not below probability · 2⁵³: `draw() >> 11` is below it with that probability."""
    return math.ceil(probability * 2.0**53)
