"""Times training steps in PyTorch: the other side of the benchmark TrainingComparison.

The same step on the same batch, again and again: forward, cross-entropy, backward, SGD with momentum and
weight decay. Prints the median in milliseconds.

    python training_step.py MODEL SIZE BATCH [--threads N] [--warm-up N] [--steps N]
"""

import argparse
import statistics
import time

import torch
import torch.nn.functional as F

from deterministic import image
from reference_fixtures import NETWORKS

NUM_CLASSES = 1000
LEARNING_RATE = 1e-3
MOMENTUM = 0.9
WEIGHT_DECAY = 1e-4


def main() -> None:
    parser = argparse.ArgumentParser(description="Time training steps in PyTorch.")
    parser.add_argument("model")
    parser.add_argument("size", type=int)
    parser.add_argument("batch", type=int)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    row = next(row for row in NETWORKS if row.file == options.model)
    network = row.filled(NUM_CLASSES).train().requires_grad_(True)
    optimizer = torch.optim.SGD(
        network.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY
    )
    images = torch.from_numpy(image((options.batch, 3, options.size, options.size)))
    labels = torch.arange(options.batch) % NUM_CLASSES

    times = []
    for step in range(options.warm_up + options.steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = F.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()
        if step >= options.warm_up:
            times.append(time.perf_counter() - start)
    print(f"{1000 * statistics.median(times):.3f}")


if __name__ == "__main__":
    main()
