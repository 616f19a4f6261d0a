"""Runs exported networks in ONNX Runtime and PyTorch, and compares their logits with ConvZoo's.

    java -cp ... io.github.convzoo.export.ExportEveryNetwork DIR ANY|AVX2|AVX512
    python check_exports.py DIR

Each folder in DIR holds model.onnx, model.pt, input.npy (a batch of 5) and logits.npy. Each file runs on batches of 1, 2
and 5. model.onnx must pass ONNX's checker with full shape inference, and neither onnxslim nor onnxscript's optimizer may
find a node to remove. Ends with 1 if a difference is above 1e-5 of the largest logit, or a node can be removed.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import onnxscript.optimizer
import onnxslim
import torch

warnings.filterwarnings("ignore")
TOLERANCE = 1e-5
BATCHES = (1, 2, 5)


def difference(actual: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


def main() -> int:
    worst = {"ONNX Runtime": 0.0, "PyTorch": 0.0}
    failures = 0
    folders = sorted(path.parent for path in Path(sys.argv[1]).glob("*/model.onnx"))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    for folder in folders:
        inputs, logits = np.load(folder / "input.npy"), np.load(folder / "logits.npy")
        file = str(folder / "model.onnx")
        model = onnx.load(file)
        onnx.checker.check_model(model, full_check=True)
        nodes = len(model.graph.node)
        slim = len(onnxslim.slim(onnx.load(file)).graph.node)
        optimized = len(onnxscript.optimizer.optimize(onnx.load(file)).graph.node)
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        module = torch.jit.load(folder / "model.pt")
        found = {"ONNX Runtime": 0.0, "PyTorch": 0.0}
        for batch in BATCHES:
            some = inputs[:batch]
            by_onnx = session.run(None, {"input": some})[0]
            with torch.inference_mode():
                by_torch = module(torch.from_numpy(some)).numpy()
            found["ONNX Runtime"] = max(found["ONNX Runtime"], difference(by_onnx, logits[:batch]))
            found["PyTorch"] = max(found["PyTorch"], difference(by_torch, logits[:batch]))
        good = max(found.values()) <= TOLERANCE and nodes == slim == optimized
        failures += not good
        worst = {name: max(worst[name], found[name]) for name in worst}
        print(
            f"{'ok    ' if good else 'FAILED'} {folder.name}: {nodes} nodes, {slim} after onnxslim, {optimized} after"
            f" onnxscript; ONNX Runtime {found['ONNX Runtime']:.1e}, PyTorch {found['PyTorch']:.1e}"
        )
    print(
        f"{len(folders)} exports, {failures} failed; largest difference: ONNX Runtime {onnxruntime.__version__}"
        f" {worst['ONNX Runtime']:.1e}, PyTorch {torch.__version__} {worst['PyTorch']:.1e}"
    )
    return 0 if folders and not failures else 1


sys.exit(main())
