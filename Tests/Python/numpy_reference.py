"""numpy's own draws: JSON questions on standard input, answers on standard output."""

import json
import sys

import numpy

question = json.load(sys.stdin)
answer = {"sequences": [], "words": [], "uniforms": [], "philox": [], "mixed": [], "normals": []}
for seed in question["seeds"]:
    words = numpy.random.SeedSequence(seed).generate_state(4, numpy.uint64)
    answer["sequences"].append([str(word) for word in words])
    generator = numpy.random.default_rng(seed)
    answer["words"].append([str(word) for word in generator.bit_generator.random_raw(8)])
    answer["uniforms"].append(generator.uniform(-0.15, 0.15, size=8).tolist())
    # Draws of all kinds in turn: 32-bit ones leave half a word behind, which others must not disturb.
    generator = numpy.random.default_rng(seed)
    mixed = []
    for low, high in question["ranges"]:
        mixed.append(str(generator.integers(low, high)))
        mixed.append(str(generator.choice(["a", "b", "c", "d"])))
        mixed.append(repr(float(generator.normal(scale=0.005, size=3)[2])))
        mixed.append(repr(float(generator.uniform())))
    answer["mixed"].append(mixed)
    answer["normals"].append(numpy.random.default_rng(seed).normal(size=question["normals"]).tolist())
for key, counter in zip(question["keys"], question["counters"]):
    # numpy adds 1 to the counter before each block, so it is asked for the one before.
    start = int(counter[0]) + (int(counter[1]) << 64) - 1 & (1 << 256) - 1
    words = [start >> 64 * k & (1 << 64) - 1 for k in range(4)]
    philox = numpy.random.Philox(counter=numpy.array(words, dtype=numpy.uint64),
                                 key=numpy.array([int(part) for part in key], dtype=numpy.uint64))
    answer["philox"].append([str(word) for word in philox.random_raw(12)])
json.dump(answer, sys.stdout)
