"""Times exported networks next to timm's exports and to int8 files, each in a process of its own, in turn.

    python time_exports.py FOLDER dla34 peleenet ...

FOLDER has, per network: NAME.onnx and NAME.pt (`convzoo export`), NAME-int8.onnx and NAME-int8.pt (`convzoo
quantize --runtime both`), and timm's NAME-torchscript.onnx, NAME-dynamo.onnx, and NAME-trace.pt (`export_peers.py`);
missing files are skipped. Prints the median time of each in milliseconds, and the median, least, and largest ratio to
NAME.onnx of the same round.
"""

import argparse
import collections
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

SUBJECTS = ("{}.onnx", "{}-torchscript.onnx", "{}-dynamo.onnx", "{}-int8.onnx", "{}.pt", "{}-trace.pt", "{}-int8.pt")
BATCHES = (1, 8)


def without_amx():
    """Refuses AMX to this process, for the figures of processors without it: a signal stack too small for its state."""
    import ctypes

    class Stack(ctypes.Structure):
        _fields_ = [("pointer", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

    without_amx.memory = ctypes.create_string_buffer(6144)
    stack = Stack(ctypes.cast(without_amx.memory, ctypes.c_void_p).value, 0, 6144)
    if ctypes.CDLL(None).sigaltstack(ctypes.byref(stack), None) != 0:
        sys.exit("the signal stack was refused")


def network(file, threads):
    """What runs a file on an array."""
    if file.suffix == ".onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda array: session.run(None, {name: array})
    import torch

    torch.set_num_threads(threads)
    module = torch.jit.load(file, map_location="cpu").eval()

    def run(array):
        with torch.inference_mode():
            return module(torch.from_numpy(array))

    return run


def serve(file, threads, side):
    """Answers lines "BATCH SECONDS" with the median time of a pass in milliseconds."""
    without_amx()
    run = network(pathlib.Path(file), threads)
    arrays = {b: np.random.default_rng(b).standard_normal((b, 3, side, side), dtype=np.float32) for b in BATCHES}
    for array in arrays.values():
        for _ in range(3):
            run(array)
    print("ready", flush=True)
    for line in sys.stdin:
        batch, seconds = line.split()
        array = arrays[int(batch)]
        run(array)
        times = []
        end = time.perf_counter() + float(seconds)
        while len(times) < 2 or time.perf_counter() < end:
            start = time.perf_counter()
            run(array)
            times.append(1e3 * (time.perf_counter() - start))
        print(statistics.median(times), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=0.25)
    parser.add_argument("--side", type=int, default=224)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.threads, arguments.side)
        return
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])
    os.environ["OMP_WAIT_POLICY"] = "passive"
    for name in arguments.networks:
        workers = {}
        for subject in SUBJECTS:
            file = arguments.folder / subject.format(name)
            if file.exists():
                workers[subject] = subprocess.Popen(
                    [sys.executable, __file__, str(arguments.folder), "--serve", str(file), "--threads",
                     str(arguments.threads), "--side", str(arguments.side)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                if workers[subject].stdout.readline() != "ready\n":
                    sys.exit(f"{file} cannot be run")
        times = collections.defaultdict(list)
        for _ in range(arguments.rounds):
            for subject, worker in workers.items():
                for batch in BATCHES:
                    worker.stdin.write(f"{batch} {arguments.seconds}\n")
                    worker.stdin.flush()
                    times[batch, subject].append(float(worker.stdout.readline()))
        for worker in workers.values():
            worker.stdin.close()
        for (batch, subject), each in sorted(times.items()):
            ratios = [t / base for t, base in zip(each, times[batch, SUBJECTS[0]])]
            print(f"{subject.format(name)}, batch {batch}: {statistics.median(each):.2f} ms,"
                  f" {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})", flush=True)


if __name__ == "__main__":
    main()
