"""Makes ../resources/train: what PyTorch's optimizers, schedulers and losses compute, for the tests of `train`.

    python optimizer_fixtures.py [DIR]
"""

import argparse
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from deterministic import fill, image, uniform

OUT = Path(__file__).resolve().parents[1] / "resources/train"
STEPS = 10
CLASSES = 4
SAMPLES = 6
SHAPE = (SAMPLES, 3, 8, 8)


class Net(nn.Module):
    """A parameter of each kind. A bias in front of the normalization would have no gradient but rounding."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(5)
        self.fc = nn.Linear(5, CLASSES)

    def forward(self, x):
        return self.fc(F.relu(self.norm(self.conv(x))).mean((2, 3)))


def groups(network: Net, rate: float, decay: float, all_decay: bool, head: float):
    """As Recipe has it: the head's rate is a multiple, norms and biases may be left out of the decay."""
    result = []
    for name, parameter in network.named_parameters():
        plain = name.startswith("norm.") or name.endswith(".bias")
        result.append(
            {
                "params": [parameter],
                "lr": rate * (head if name.startswith("fc.") else 1),
                "weight_decay": 0.0 if plain and not all_decay else decay,
            }
        )
    return result


OPTIMIZERS = {
    "sgd": (0.05, 1e-2, True, 1.0, lambda g: torch.optim.SGD(g)),
    "sgd_momentum": (0.05, 1e-2, False, 1.0, lambda g: torch.optim.SGD(g, momentum=0.9)),
    "sgd_nesterov": (0.05, 1e-2, True, 10.0, lambda g: torch.optim.SGD(g, momentum=0.9, nesterov=True)),
    "adam": (0.01, 1e-2, True, 1.0, lambda g: torch.optim.Adam(g)),
    "adamw": (0.01, 1e-1, False, 2.0, lambda g: torch.optim.AdamW(g)),
}


def trajectory(rate, decay, all_decay, head, make):
    network = fill(Net()).double().train()
    optimizer = make(groups(network, rate, decay, all_decay, head))
    # It falls with each step, so that a rate inside of the momentum would show.
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5 ** (1 / 3))
    images = torch.from_numpy(image(SHAPE)).double()
    labels = torch.arange(SAMPLES) % CLASSES
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(images), labels, label_smoothing=0.1)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    state = {
        name: tensor.flatten().tolist()
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    return {
        "rate": rate,
        "decay": decay,
        "all_decay": all_decay,
        "head": head,
        "losses": losses,
        "state": state,
    }


def schedule(make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def schedules():
    s = torch.optim.lr_scheduler
    return {
        "multi_step": schedule(lambda o: s.MultiStepLR(o, [3, 5, 9], 0.2), 12),
        "exponential": schedule(lambda o: s.StepLR(o, 4, 0.7), 12),
        "cosine": schedule(lambda o: s.CosineAnnealingLR(o, 11, eta_min=0.01), 12),
        "cosine_warm_up": schedule(
            lambda o: s.SequentialLR(
                o, [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 15, eta_min=0.01)], [5]
            ),
            20,
        ),
        "one_cycle": schedule(lambda o: s.OneCycleLR(o, 0.5, total_steps=20, cycle_momentum=False), 20),
        "one_cycle_short": schedule(
            lambda o: s.OneCycleLR(
                o,
                0.5,
                total_steps=7,
                pct_start=0.45,
                div_factor=10,
                final_div_factor=100,
                cycle_momentum=False,
            ),
            7,
        ),
    }


def losses():
    rows, classes = 5, 7
    logits = torch.from_numpy(uniform("logits", rows * classes).reshape(rows, classes) * 8 - 4)
    first = torch.tensor([0, 6, 3, 3, 1])
    second = torch.tensor([5, 6, 2, 0, 4])
    shares = torch.tensor([1.0, 0.25, 0.5, 0.75, 0.0]).double()
    dense = torch.from_numpy(uniform("dense", rows * classes).reshape(rows, classes)).softmax(1)

    def case(loss):
        x = logits.clone().requires_grad_(True)
        value = loss(x)
        value.backward()
        return {"loss": value.item(), "gradient": x.grad.flatten().tolist()}

    def mixed(x, smoothing):
        each = [F.cross_entropy(x, t, reduction="none", label_smoothing=smoothing) for t in (first, second)]
        return (shares * each[0] + (1 - shares) * each[1]).mean()

    return {
        "logits": logits.flatten().tolist(),
        "first": first.tolist(),
        "second": second.tolist(),
        "shares": shares.tolist(),
        "dense": dense.flatten().tolist(),
        "hard": case(lambda x: F.cross_entropy(x, first)),
        "hard_smoothed": case(lambda x: F.cross_entropy(x, first, label_smoothing=0.1)),
        "mixed": case(lambda x: mixed(x, 0.0)),
        "mixed_smoothed": case(lambda x: mixed(x, 0.1)),
        "dense_plain": case(lambda x: F.cross_entropy(x, dense)),
        "dense_smoothed": case(lambda x: F.cross_entropy(x, dense, label_smoothing=0.1)),
    }


def loss_scale():
    """How GradScaler's factor follows what was found in the gradients of some steps in a row: its binary logarithm."""

    def after(runs, start=2.0**16):
        scaler = torch.amp.GradScaler("cpu", init_scale=start)
        scaler.scale(torch.zeros(1))
        result = []
        for steps, found_inf in runs:
            for _ in range(steps):
                scaler._per_optimizer_states[0]["found_inf_per_device"] = {
                    torch.device("cpu"): torch.tensor(float(found_inf))
                }
                scaler.update()
            result.append([steps, found_inf, math.log2(scaler.get_scale()), scaler._get_growth_tracker()])
        return {"start": math.log2(start), "runs": result}

    return [
        after([(3, 0), (1, 1), (2, 1), (1999, 0), (1, 0), (1999, 0), (1, 1), (2000, 0), (4001, 0)]),
        after([(2000, 0), (2000, 0), (1, 1)], start=2.0**126),
        after([(17, 1)]),
    ]


def rounded(value):
    """To 10 digits, which is more than float32 has."""
    if isinstance(value, float):
        return 0.0 if value == 0 else round(value, 10 - math.ceil(math.log10(abs(value))))
    if isinstance(value, list):
        return [rounded(each) for each in value]
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the fixtures of training.")
    parser.add_argument("dir", nargs="?", type=Path, default=OUT, metavar="DIR")
    folder = parser.parse_args().dir
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "optimizers": {name: trajectory(*row) for name, row in OPTIMIZERS.items()},
        "schedules": schedules(),
        "losses": losses(),
        "loss_scale": {"cases": loss_scale()},
    }
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(rounded(content), indent=1) + "\n")


if __name__ == "__main__":
    main()
