"""Times OpenVINO on ONNX files of timm's networks, in turn with ConvZoo's exports.

    pip install openvino
    python compare_with_openvino.py PEERS NAME...

PEERS is the folder of export_peers.py. It may also have both of NAME-int8.onnx and NAME-int8.pt, which
`convzoo quantize --runtime both` writes as model.onnx and model.pt. Each round runs `convzoo benchmark NAME --runtime
onnx,torchscript` with all of these as peers, then OpenVINO on timm's ONNX file, and on NAME-int8.onnx, each in its own
process, with one thread per core. Prints medians in milliseconds, and their ratios to the first.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 5
SECONDS = 1
BATCHES = (1, 8)
TIMM = ("-torchscript.onnx", "-dynamo.onnx", ".pt")
INT8 = ("-int8.onnx", "-int8.pt")
CONVZOO = Path(__file__).parents[3] / "convzoo"


def openvino(file: str, batch: int) -> None:
    """Prints the median time of one inference."""
    import numpy as np
    import openvino as ov

    core = ov.Core()
    model = core.read_model(file)
    model.reshape([batch, 3, 224, 224])
    compiled = core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    images = np.random.default_rng(0).standard_normal((batch, 3, 224, 224), dtype=np.float32)
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        request.infer([images])
    times = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        request.infer([images])
        times.append(1e3 * (time.perf_counter() - start))
    print(statistics.median(times))


def compare(peers: Path, name: str, batch: int) -> None:
    times: dict[str, list[float]] = {}
    int8 = INT8 if (peers / (name + INT8[0])).exists() else ()
    for _ in range(ROUNDS):
        command = [str(CONVZOO), "benchmark", name, "--batch", str(batch), "--rounds", "1", "--seconds", str(SECONDS)]
        command += ["--runtime", "onnx,torchscript", "--json"]
        for peer in TIMM + int8:
            command += ["--peer", str(peers / (name + peer))]
        rows = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for row in rows:
            times.setdefault(row["runtime"], []).append(row["medianMs"])
        for file in TIMM[:1] + int8[:1]:
            command = [sys.executable, __file__, "--once", str(peers / (name + file)), str(batch)]
            result = subprocess.run(command, check=True, capture_output=True, text=True)
            times.setdefault(f"openvino {name}{file}", []).append(float(result.stdout))
    first = next(iter(times.values()))
    for what, each in times.items():
        ratio = statistics.median(a / b for a, b in zip(each, first))
        print(f"{name} {batch} {what}: {statistics.median(each):.1f} ({ratio:.2f})", flush=True)


if sys.argv[1] == "--once":
    openvino(sys.argv[2], int(sys.argv[3]))
else:
    for network in sys.argv[2:]:
        for size in BATCHES:
            compare(Path(sys.argv[1]), network, size)
