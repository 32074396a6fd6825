"""Two client libraries of the copied interface that no one here wrote, their address changed to ours.

`.ci/removebg-clients.sh` installs npm's remove.bg 1.3.0 and PyPI's removebg 0.4.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from tests.web.serving import Serving, serving

from mattebox.web.service.app import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.network, pytest.mark.slow]

_NODE = """
const fs = require("fs"), path = require("path"), Module = require("module");
const [address, folder, photo] = process.argv.slice(1);
const main = require.resolve("remove.bg");
const real = Module._extensions[".js"];
Module._extensions[".js"] = (module, file) => {
  if (!file.includes(path.join("remove.bg", "dist"))) return real(module, file);
  const text = fs.readFileSync(file, "utf8");
  const ours = text.replace("https://api.remove.bg", address);
  if (text === ours) throw new Error("the address is not where it was");
  module._compile(ours, file);
};
const client = require(main);
const told = (error) => ({ errors: error });
(async () => {
  const apiKey = "key";
  const results = {
    file: await client.removeBackgroundFromImageFile({
      path: photo, apiKey, size: "regular", type: "auto", crop: true,
      outputFile: path.join(folder, "file.png"),
    }),
    base64: await client.removeBackgroundFromImageBase64({
      base64img: fs.readFileSync(photo, "base64"), apiKey, size: "auto", bg_color: "81d4fa",
      outputFile: path.join(folder, "base64.jpg"),
    }),
    broken: await client.removeBackgroundFromImageBase64({ base64img: "AAAA", apiKey }).catch(told),
    nobody: await client.removeBackgroundFromImageFile({ path: photo, apiKey: "wrong" }).catch(told),
    address: await client.removeBackgroundFromImageUrl({ url: "http://example.org/a", apiKey }).catch(told),
  };
  for (const each of Object.values(results)) delete each.base64img;
  console.log(JSON.stringify(results));
})().catch((error) => { console.error(error); process.exit(1); });
"""

_PYTHON = """
import base64, json, sys
from removebg import RemoveBg, removebg
address, folder, photo = sys.argv[1:]
assert removebg.API_ENDPOINT.startswith("https://api.remove.bg/")
removebg.API_ENDPOINT = removebg.API_ENDPOINT.replace("https://api.remove.bg", address)
client = RemoveBg("key", folder + "/error.log")
client.remove_background_from_img_file(photo, size="regular")
with open(photo, "rb") as file:
    data = base64.b64encode(file.read())
target = folder + "/python.jpg"
client.remove_background_from_base64_img(data, size="4k", new_file_name=target, bg_color="white")
try:
    client.remove_background_from_img_url("http://example.org/a.png", new_file_name=folder + "/never.png")
except Exception as error:
    print(json.dumps({"status": error.response.status_code, "body": error.response.json()}))
"""


@pytest.fixture(scope="module")
def clients() -> Path:
    """The folder that .ci/removebg-clients.sh installs into."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "mattebox-ci" / "removebg-clients"
    if not (folder / "node_modules").is_dir():
        pytest.skip("the clients are not installed; run .ci/removebg-clients.sh")
    return folder


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service that asks for a key."""
    with serving(tmp_path_factory.mktemp("serve"), ServiceSettings(quality="fast", keys=("key",))) as found:
        yield found


@pytest.fixture
def photo(tmp_path: Path, shipped_photos: dict[str, Path]) -> Path:
    """A photo of 640 x 427 pixels in a folder of its own, where a client writes beside it."""
    path = tmp_path / "flower.jpg"
    path.write_bytes(shipped_photos["flower.jpg"].read_bytes())
    return path


def _run(*command: object, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _picture(path: Path) -> tuple[str, tuple[int, int]]:
    with Image.open(path) as picture:
        picture.load()
        return picture.mode, picture.size


def test_the_client_of_npm(clients: Path, service: Serving, photo: Path, tmp_path: Path) -> None:
    """Files and base64 come back as its callers expect them, headers and errors too."""
    address = f"http://127.0.0.1:{service.port}"
    modules = {"NODE_PATH": str(clients / "node_modules")}
    found = json.loads(_run("node", "-e", _NODE, address, tmp_path, photo, environment=modules))
    mode, size = _picture(tmp_path / "file.png")
    assert mode == "RGBA"
    assert (found["file"]["resultWidth"], found["file"]["resultHeight"]) == tuple(map(str, size))
    assert size[0] * size[1] <= 250_000
    assert found["file"]["creditsCharged"] == "0"
    assert found["file"]["detectedType"] == "other"
    assert _picture(tmp_path / "base64.jpg") == ("RGB", (640, 427))
    assert found["broken"]["errors"][0]["code"] == "failed_to_read_image"
    assert found["nobody"]["errors"][0]["code"] == "auth_failed"
    assert found["address"]["errors"][0]["code"] == "failed_to_fetch_image"


def test_the_client_of_pypi(clients: Path, service: Serving, photo: Path, tmp_path: Path) -> None:
    """Its three calls write what they promise, and an error is read by its status and its JSON."""
    address = f"http://127.0.0.1:{service.port}"
    told = _run(clients / "venv" / "bin" / "python", "-I", "-c", _PYTHON, address, tmp_path, photo)
    mode, size = _picture(tmp_path / "flower.jpg_no_bg.png")
    assert mode == "RGBA"
    assert size[0] * size[1] <= 250_000
    assert _picture(tmp_path / "python.jpg") == ("RGB", (640, 427))
    assert not (tmp_path / "never.png").exists()
    found = json.loads(told)
    assert (found["status"], found["body"]["errors"][0]["code"]) == (400, "failed_to_fetch_image")
