"""Makes the fixtures of src/test/resources/reference anew, or holds committed ones against fresh ones.

DLA and DPN come from timm, the other networks from references.py. A further network is one row of
NETWORKS.

    python reference_fixtures.py --check ../resources/reference
    python reference_fixtures.py --out ../resources/reference --only peleenet train_step/peleenet
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import timm
import torch
import torch.nn.functional as F
from timm.layers.test_time_pool import TestTimePoolHead
from torch import Tensor, nn

from deterministic import SALT, canonical_state, fill, image
from references import AlexNet, PeleeNet, dpn92_post, dpn98_post

DLA_STAGES = tuple(f"level{i}" for i in range(6))
PELEENET_STAGES = (
    "features.stemblock",
    *(f"features.{kind}{i}" for i in range(1, 5) for kind in ("denseblock", "transition")),
)
DPN_POST_STAGES = tuple(f"conv{i}" for i in range(1, 6))

TRAIN_BATCH = 8
TRAIN_CLASSES = 10
LABEL_SMOOTHING = 0.1
# The loss falls by about this much in the one step: enough to see, little enough to be near linear.
LOSS_DECREASE = 0.02


@dataclass(frozen=True)
class Network:
    """A row of NETWORKS: one forward fixture, and a training step of it where `train_size` is set."""

    file: str
    build: Callable[..., nn.Module]
    stages: tuple[str, ...] = ()
    size: int = 224
    num_classes: int = 1000
    train_size: int | None = None
    # Where the file is not named as its model.
    variant_of: str | None = None
    temperature: int | None = None
    test_time_pool: int | None = None
    last_activation: str | None = None

    @property
    def model(self) -> str:
        return self.variant_of or self.file

    def filled(self, num_classes: int) -> nn.Module:
        options = {} if self.temperature is None else {"temperature": self.temperature}
        return fill(self.build(num_classes=num_classes, **options))


def from_timm(name: str) -> Callable[..., nn.Module]:
    return partial(timm.create_model, name, pretrained=False)


def dpn_elu(name: str) -> Callable[..., nn.Module]:
    def build(num_classes: int) -> nn.Module:
        network = timm.create_model(name, pretrained=False, num_classes=num_classes)
        # timm up to 0.6 applied ELU at the end. Since 0.9 its source still declares ELU, but its norm layer is
        # already bound to ReLU then, and ReLU stays.
        network.features.conv5_bn_ac.bn.act = nn.ELU()
        return network

    return build


ALEXNET_DY = partial(AlexNet, experts=2)

NETWORKS = (
    Network("dla34", from_timm("dla34"), DLA_STAGES, train_size=64),
    Network("dla46_c", from_timm("dla46_c"), DLA_STAGES, train_size=64),
    Network("dla46x_c", from_timm("dla46x_c"), DLA_STAGES),
    Network("dla60x_c", from_timm("dla60x_c"), DLA_STAGES, train_size=64),
    Network("dla60", from_timm("dla60"), DLA_STAGES),
    Network("dla60x", from_timm("dla60x"), DLA_STAGES),
    Network("dla102", from_timm("dla102"), DLA_STAGES),
    Network("dla102x", from_timm("dla102x"), DLA_STAGES),
    Network("dla102x2", from_timm("dla102x2"), DLA_STAGES),
    Network("dla169", from_timm("dla169"), DLA_STAGES),
    Network("dla60_res2net", from_timm("dla60_res2net"), DLA_STAGES, train_size=64),
    Network("dla60_res2next", from_timm("dla60_res2next"), DLA_STAGES),
    Network("peleenet", PeleeNet, PELEENET_STAGES, train_size=64),
    Network("dpn48b", from_timm("dpn48b"), train_size=64),
    Network("dpn68", dpn_elu("dpn68"), train_size=64),
    Network(
        "dpn68_test_time_pool", dpn_elu("dpn68"), size=320, variant_of="dpn68", test_time_pool=7
    ),
    Network("dpn68b", dpn_elu("dpn68b"), train_size=64),
    Network("dpn92", dpn_elu("dpn92")),
    Network("dpn98", dpn_elu("dpn98")),
    Network("dpn131", dpn_elu("dpn131")),
    Network("dpn107", dpn_elu("dpn107")),
    *(
        Network(f"{name}_relu", from_timm(name), variant_of=name, last_activation="relu")
        for name in ("dpn68", "dpn68b", "dpn92", "dpn98", "dpn131", "dpn107")
    ),
    Network("dpn92_post", dpn92_post, DPN_POST_STAGES, num_classes=4, train_size=64),
    Network("dpn98_post", dpn98_post, DPN_POST_STAGES, num_classes=4),
    Network("alexnet", AlexNet, size=128, num_classes=10, train_size=128),
    Network("alexnet_dy", ALEXNET_DY, size=128, num_classes=10, train_size=128, temperature=1),
    Network(
        "alexnet_dy_t30", ALEXNET_DY, size=128, num_classes=10, variant_of="alexnet_dy", temperature=30
    ),
)


# --- Making -------------------------------------------------------------------------------------------


def significant(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def stage_summary(name: str, output: Tensor) -> dict[str, Any]:
    return {
        "name": name,
        "shape": list(output.shape),
        "mean": output.mean().item(),
        "std": output.std().item(),
        "first": output.flatten()[:8].tolist(),
    }


def forward_fixture(row: Network) -> dict[str, Any]:
    network = row.filled(row.num_classes).eval()
    input_shape = (2, 3, row.size, row.size)
    fixture: dict[str, Any] = {"model": row.model, "salt": SALT}
    if row.test_time_pool is not None:
        fixture["test_time_pool"] = row.test_time_pool
    if row.last_activation is not None:
        fixture["last_activation"] = row.last_activation
    fixture |= {"input_shape": list(input_shape), "num_classes": row.num_classes}
    stages: list[dict[str, Any]] = []
    if row.test_time_pool is None:
        fixture["trainable_parameters"] = sum(p.numel() for p in network.parameters())
        fixture["state"] = [[n, list(t.shape)] for n, t in canonical_state(network).items()]
        fixture["stages"] = stages
    else:
        network = TestTimePoolHead(network, original_pool=row.test_time_pool)

    for stage in row.stages:
        # Summed up inside the hook: what follows may overwrite a stage's output in place.
        network.get_submodule(stage).register_forward_hook(
            lambda module, inputs, output, stage=stage: stages.append(stage_summary(stage, output))
        )
    with torch.inference_mode():
        logits = network(torch.from_numpy(image(input_shape)))
    fixture["logits"] = [[significant(v, 9) for v in sample] for sample in logits.tolist()]
    if row.temperature is not None:
        fixture["temperature"] = row.temperature
    return fixture


def train_step_fixture(row: Network) -> dict[str, Any]:
    # Filled in float32 and widened, so that a float32 port starts from the very same weights.
    network = row.filled(TRAIN_CLASSES).double().train()
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    input_shape = (TRAIN_BATCH, 3, row.train_size, row.train_size)
    images = torch.from_numpy(image(input_shape)).double()
    labels = torch.arange(TRAIN_BATCH) % TRAIN_CLASSES

    def loss_of_batch() -> Tensor:
        return F.cross_entropy(network(images), labels, label_smoothing=LABEL_SMOOTHING)

    loss = loss_of_batch()
    loss.backward()
    norms = {name: p.grad.norm().item() for name, p in network.named_parameters()}
    statistics = {
        name: tensor.norm().item()
        for name, tensor in canonical_state(network).items()
        if name.endswith((".running_mean", ".running_var"))
    }
    rate = significant(LOSS_DECREASE / math.fsum(g * g for g in norms.values()), 3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter -= rate * parameter.grad
        loss_after_step = loss_of_batch()

    fixture = {
        "model": row.model,
        "salt": SALT,
        "input_shape": list(input_shape),
        "num_classes": TRAIN_CLASSES,
        "label_smoothing": LABEL_SMOOTHING,
        "dropout": 0,
        "sgd_learning_rate": rate,
        "loss": loss.item(),
        "loss_after_step": loss_after_step.item(),
        "gradient_norms": {name: significant(g, 6) for name, g in norms.items()},
        "running_statistics_norms": {name: significant(s, 6) for name, s in statistics.items()},
    }
    if row.temperature is not None:
        fixture["temperature"] = row.temperature
    return fixture


def fixtures() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Every fixture: its file's path without the extension, and what makes it."""
    for row in NETWORKS:
        yield row.file, partial(forward_fixture, row)
        if row.train_size is not None:
            yield f"train_step/{row.file}", partial(train_step_fixture, row)


def write(fixture: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture, separators=(",", ":")))


# --- Checking -----------------------------------------------------------------------------------------


@dataclass
class Comparison:
    """What differs between a committed fixture and a fresh one."""

    mismatches: list[str] = field(default_factory=list)
    # Label, deviation, and the most it may be.
    deviations: list[tuple[str, float, float]] = field(default_factory=list)

    def expect_equal(self, what: str, given: Any, made: Any) -> bool:
        if given != made:
            self.mismatches.append(f"{what} differs")
        return given == made

    def measure(self, what: str, deviations: list[float], tolerance: float) -> None:
        if deviations:
            # A NaN must not lose against a number.
            worst = math.nan if any(map(math.isnan, deviations)) else max(deviations)
            self.deviations.append((what, worst, tolerance))

    @property
    def agrees(self) -> bool:
        return not self.mismatches and all(d <= most for _, d, most in self.deviations)

    def __str__(self) -> str:
        measured = [f"{what} {d:.1e} (at most {most:.0e})" for what, d, most in self.deviations]
        return ", ".join(self.mismatches + measured)


# What is measured; every other entry must be equal.
MEASURED = {
    "stages",
    "logits",
    "loss",
    "loss_after_step",
    "gradient_norms",
    "running_statistics_norms",
}


def compare(given: dict[str, Any], made: dict[str, Any]) -> Comparison:
    result = Comparison()
    if not result.expect_equal("the list of keys", list(given), list(made)):
        return result
    for key in (key for key in given if key not in MEASURED):
        result.expect_equal(key, given[key], made[key])
    if "logits" in given:
        compare_stages(result, given.get("stages", []), made.get("stages", []))
        compare_logits(result, given["logits"], made["logits"])
    else:
        compare_train_step(result, given, made)
    return result


def compare_stages(result: Comparison, given: list[dict], made: list[dict]) -> None:
    def outline(stages: list[dict]) -> list[tuple]:
        return [(s["name"], s["shape"], len(s["first"])) for s in stages]

    if not result.expect_equal("names or shapes of stages", outline(given), outline(made)):
        return
    # In units of the stage's spread, which unlike a single value is never near zero.
    deviations = [
        abs(a - b) / g["std"]
        for g, m in zip(given, made)
        for a, b in zip([g["mean"], g["std"], *g["first"]], [m["mean"], m["std"], *m["first"]])
    ]
    result.measure("stages", deviations, 1e-5)


def compare_logits(result: Comparison, given: list[list[float]], made: list[list[float]]) -> None:
    shapes = [[len(row) for row in logits] for logits in (given, made)]
    if not result.expect_equal("shape of logits", *shapes):
        return
    deviations = [
        abs(a - b) / max(map(abs, g)) for g, m in zip(given, made) for a, b in zip(g, m)
    ]
    result.measure("logits", deviations, 1e-5)


def compare_train_step(result: Comparison, given: dict[str, Any], made: dict[str, Any]) -> None:
    # The tolerances are those of a float32 port; float64 against float64 is orders of magnitude below.
    result.measure("loss", [abs(given["loss"] - made["loss"])], 1e-4)
    result.measure("after step", [abs(given["loss_after_step"] - made["loss_after_step"])], 1e-3)
    for key, label, floor, tolerance in (
        ("gradient_norms", "gradients", 1e-3, 3e-2),
        ("running_statistics_norms", "statistics", 0.0, 1e-4),
    ):
        if result.expect_equal(f"names of {key}", list(given[key]), list(made[key])):
            deviations = [abs(g - made[key][n]) / (g + floor) for n, g in given[key].items()]
            result.measure(label, deviations, tolerance)


# --- Command line -------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description="Make reference fixtures anew, or check committed ones.")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the fixtures into this folder")
    parser.add_argument(
        "--check", type=Path, metavar="DIR", help="compare the fixtures of this folder with fresh ones"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="these fixtures only, as dla34 or train_step/dla34"
    )
    arguments = parser.parse_args()
    if arguments.out is None and arguments.check is None:
        parser.error("give --out DIR, --check DIR or both")

    chosen = dict(fixtures())
    if arguments.only is not None:
        if unknown := sorted(set(arguments.only) - chosen.keys()):
            parser.error(f"no such fixture: {' '.join(unknown)}; there are: {' '.join(chosen)}")
        chosen = {name: chosen[name] for name in arguments.only}

    failures = 0
    for name, make in chosen.items():
        made = make()
        if arguments.check is not None:
            path = arguments.check / f"{name}.json"
            if not path.is_file():
                result = Comparison(mismatches=["no such file"])
            else:
                result = compare(json.loads(path.read_text()), made)
            failures += not result.agrees
            print("ok    " if result.agrees else "DIFFER", name, "-", result, flush=True)
        if arguments.out is not None:
            write(made, arguments.out / f"{name}.json")
            print("wrote ", arguments.out / f"{name}.json", flush=True)
    if arguments.check is not None and arguments.only is None:
        committed = {p.relative_to(arguments.check) for p in arguments.check.rglob("*.json")}
        for orphan in sorted(committed - {Path(f"{name}.json") for name in chosen}):
            failures += 1
            print("DIFFER", orphan.with_suffix(""), "- no network makes this file")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
