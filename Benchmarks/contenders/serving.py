"""A contender's side of a race."""

import sys
import time


def serve(work):
    """Says that it is ready. Then, for each line of seconds, repeats `work` until they are over, and says how much was
    done in which time. `work` does a piece and returns how much that was; a line gets one piece at least."""
    print("ready", flush=True)
    for line in sys.stdin:
        wanted, start, amount = float(line), time.perf_counter(), 0
        while True:
            amount += work()
            elapsed = time.perf_counter() - start
            if elapsed >= wanted:
                break
        print(amount, elapsed, flush=True)
