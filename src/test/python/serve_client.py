"""Talks to a running `convzoo serve --model peleenet.fmnist` with a client of the Open Inference Protocol that is not ours.

    pip install 'tritonclient[http]'
    python src/test/python/serve_client.py 127.0.0.1:8080 peleenet.fmnist src/test/resources/fashion-mnist/ankle-boot.png

It prints one line per check, and fails at the first that does not hold.
"""

import base64
import sys

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException


def main(address, model, image):
    client = http.InferenceServerClient(address)
    with open(image, "rb") as file:
        content = file.read()

    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)
    assert client.is_model_ready(model, "1") and not client.is_model_ready("none")
    print("health: live, ready, and the model too")

    extensions = client.get_server_metadata()["extensions"]
    assert "binary_tensor_data" in extensions, extensions
    metadata = client.get_model_metadata(model)
    inputs = {each["name"]: each for each in metadata["inputs"]}
    assert [inputs[name]["datatype"] for name in ("images", "pixels", "input")] == ["BYTES", "UINT8", "FP32"]
    classes = metadata["outputs"][0]["shape"][1]
    print("metadata:", metadata["name"], metadata["platform"], classes, "classes")

    # Image files as binary data, which is what this client sends unless told otherwise.
    files = http.InferInput("images", [2], "BYTES")
    files.set_data_from_numpy(np.array([content, content], dtype=np.object_))
    result = client.infer(model, [files], request_id="7")
    binary = result.as_numpy("probabilities")
    assert result.get_response()["id"] == "7"
    assert binary.shape == (2, classes) and binary.dtype == np.float32
    assert np.array_equal(binary[0], binary[1]) and abs(binary[0].sum() - 1) < 1e-5
    assert np.array_equal(result.as_numpy("class"), binary.argmax(1))
    print("binary data:", result.as_numpy("label")[0].decode(), binary[0].max())

    # The same in JSON, where bytes have to be base64.
    text = http.InferInput("images", [1], "BYTES")
    text.set_data_from_numpy(np.array([base64.b64encode(content)], dtype=np.object_), binary_data=False)
    outputs = [http.InferRequestedOutput("probabilities", binary_data=False)]
    assert np.array_equal(client.infer(model, [text], outputs=outputs).as_numpy("probabilities")[0], binary[0])
    print("JSON: the same bits")

    outputs = [http.InferRequestedOutput("probabilities", class_count=3)]
    best = client.infer(model, [text], outputs=outputs).as_numpy("probabilities")[0]
    probability, number, label = best[0].decode().split(":")
    assert int(number) == binary[0].argmax() and np.float32(probability) == binary[0].max()
    print("classification:", label)

    shape = inputs["input"]["shape"]
    floats = http.InferInput("input", [1, *shape[1:]], "FP32")
    floats.set_data_from_numpy(np.zeros([1, *shape[1:]], dtype=np.float32))
    assert client.infer(model, [floats]).as_numpy("probabilities").shape == (1, classes)
    pixels = http.InferInput("pixels", [1, 30, 20, 3], "UINT8")
    pixels.set_data_from_numpy(np.zeros([1, 30, 20, 3], dtype=np.uint8))
    assert client.infer(model, [pixels]).as_numpy("probabilities").shape == (1, classes)
    print("tensors: floats and pixels")

    try:
        floats = http.InferInput("input", [1, 3, 5, 5], "FP32")
        floats.set_data_from_numpy(np.zeros([1, 3, 5, 5], dtype=np.float32))
        client.infer(model, [floats])
        raise AssertionError("a wrong shape was accepted")
    except InferenceServerException as e:
        assert e.status() == "400", e
        print("error:", e.message())


if __name__ == "__main__":
    main(*sys.argv[1:])
