"""The generators beside numbers that their authors publish, and beside numpy's."""

import fractions
import unittest

import numpy

from goalpost.generators import Philox, limit, xoshiro256


class GeneratorTests(unittest.TestCase):
    def test_philox_is_numpys(self):
        # numpy counts a block up before it draws from it.
        theirs = numpy.random.Philox(key=[12345, 7], counter=[2**64 - 1, 2**64 - 1, 2**64 - 1, 2**64 - 1])
        ours = Philox(12345, 7)
        self.assertEqual([ours.next() for _ in range(10)], theirs.random_raw(10).tolist())
        theirs = numpy.random.Philox(key=[12345, 7], counter=[0, 9, 0, 0])
        ours = Philox(12345, 7, 9)
        [ours.next() for _ in range(4)]
        self.assertEqual([ours.next() for _ in range(10)], theirs.random_raw(10).tolist())

    def test_xoshiro_begins_as_its_authors_code_does(self):
        # SplitMix64 of seed 0 gives these four words, of which xoshiro256** makes the first number.
        words = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC]
        product = words[1] * 5 % 2**64
        turned = (product << 7 | product >> 57) % 2**64
        self.assertEqual(xoshiro256(0)(), turned * 9 % 2**64)

    def test_a_limit_is_the_least_number_that_is_not_below(self):
        for share in (0.0, 0.1, 0.2, 1 / 3, 0.8, 1.0, 2.0**-54, 3 * 2.0**-54):
            exact = fractions.Fraction(share) * 2**53
            self.assertTrue(exact <= limit(share) < exact + 1)


if __name__ == "__main__":
    unittest.main()
