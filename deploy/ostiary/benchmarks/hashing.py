"""Password hashes and nothing else: `python -m ostiary.benchmarks.hashing THREADS SECONDS` says how many a second."""

import json
import os
import sys
import threading
import time

from argon2 import PasswordHasher

MEMORY_KIB, TIME_COST = 19_456, 2  # as the services hash where nobody says otherwise
PASSWORD = "seven lanterns over a quiet harbour"


def hasher() -> PasswordHasher:
    """A hasher like auth's."""
    return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=1)


def rate(threads: int, seconds: float) -> float:
    """Verifications a second by so many threads, each as nice as auth's are."""
    hashing, counts = hasher(), [0] * threads
    hashed = hashing.hash(PASSWORD)
    began = time.monotonic()

    def work(number: int) -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, 0, 19)
        while time.monotonic() < began + seconds:
            hashing.verify(hashed, PASSWORD)
            counts[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.monotonic() - began)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(rate(int(sys.argv[1]), float(sys.argv[2]))))
