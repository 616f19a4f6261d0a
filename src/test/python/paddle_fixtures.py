"""Makes the files *.pdparams under src/test/resources/checkpoint with PaddlePaddle.

Run from the repository's root with PaddlePaddle installed:

    python src/test/python/paddle_fixtures.py

The committed files were made with Python 3.11, PaddlePaddle 2.6.2 and NumPy 1.26.4. The build does not need this script.
"""

import json
import math
import pathlib

import numpy as np
import paddle

OUT = pathlib.Path("src/test/resources/checkpoint")

TYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}

SPECIAL = [0.0, -0.0, 1.0, -2.5, 65504.0, 6.103515625e-05, 5.9604644775390625e-08, math.inf, -math.inf, math.nan]


def expect(name, arrays):
    described = {}
    for path, array in arrays.items():
        values = array.astype(np.float32).reshape(-1).tolist()
        described[path] = {
            "dtype": TYPES[str(array.dtype)],
            "shape": list(array.shape),
            "values": [repr(v) for v in values],
        }
    (OUT / f"{name}.json").write_text(json.dumps(described, indent=0) + "\n")


class Net(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv = paddle.nn.Conv2D(3, 4, 3, bias_attr=False)
        self.bn = paddle.nn.BatchNorm2D(4)
        self.fc = paddle.nn.Linear(4, 2)


def main():
    arrays = {}
    for dtype, name in TYPES.items():
        if dtype.startswith("float"):
            arrays[f"t.{name}"] = np.array(SPECIAL, dtype=dtype)
        elif dtype == "bool":
            arrays[f"t.{name}"] = np.array([[True, False], [False, True]])
        else:
            info = np.iinfo(dtype)
            arrays[f"t.{name}"] = np.array([info.min, info.max, 0, 1, 100], dtype=dtype)
    arrays["scalar"] = np.array(3.25, dtype=np.float32)
    tensors = {name: paddle.to_tensor(array) for name, array in arrays.items()}
    for protocol in (2, 3, 4):
        paddle.save(tensors, str(OUT / f"types_protocol{protocol}.pdparams"), protocol=protocol)
    expect("paddle_types", arrays)

    column_major = {"column_major": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))}
    paddle.save(column_major, str(OUT / "column_major.pdparams"))
    expect("paddle_column_major", column_major)

    paddle.seed(1)
    net = Net()
    state = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    paddle.save(net.state_dict(), str(OUT / "net.pdparams"))
    paddle.save({"model": net.state_dict(), "epoch": 3}, str(OUT / "nested.pdparams"))
    expect("paddle_net", state)


if __name__ == "__main__":
    main()
