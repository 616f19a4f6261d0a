"""Makes the files mxnet_*.params under src/test/resources/checkpoint with MXNet.

Run from the repository's root with MXNet installed, which wants an older NumPy than the other fixtures:

    python src/test/python/mxnet_fixtures.py

The committed files were made with Python 3.11, MXNet 1.9.1 and NumPy 1.23.5. The build does not need this script.
"""

import json
import math
import pathlib

import mxnet as mx
import numpy as np

OUT = pathlib.Path("src/test/resources/checkpoint")

TYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "int64": "I64",
    "int32": "I32",
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


def main():
    arrays = {}
    for dtype, name in TYPES.items():
        if dtype.startswith("float"):
            arrays[f"arg:t.{name}"] = np.array(SPECIAL, dtype=dtype)
        elif dtype == "bool":
            arrays[f"arg:t.{name}"] = np.array([[True, False], [False, True]])
        else:
            info = np.iinfo(dtype)
            arrays[f"arg:t.{name}"] = np.array([info.min, info.max, 0, 1, 100], dtype=dtype)
    arrays["aux:ünï_moving_mean"] = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    given = {name: mx.nd.array(array, dtype=array.dtype) for name, array in arrays.items()}
    mx.nd.save(str(OUT / "mxnet_types.params"), given)
    expect("mxnet_types", arrays)
    mx.nd.save(str(OUT / "mxnet_list.params"), [mx.nd.array([1, 2]), mx.nd.array([[3]])])
    mx.nd.save(str(OUT / "mxnet_sparse.params"), {"arg:w": mx.nd.array([[0, 0], [1, 0]]).tostype("row_sparse")})
    with mx.util.np_shape(True):
        scalars = {"arg:scalar": np.float32(2.5).reshape(()), "arg:empty": np.zeros((0, 3), np.float32)}
        mx.nd.save(str(OUT / "mxnet_np_shape.params"), {k: mx.np.array(v).as_nd_ndarray() for k, v in scalars.items()})
        expect("mxnet_np_shape", scalars)


if __name__ == "__main__":
    main()
