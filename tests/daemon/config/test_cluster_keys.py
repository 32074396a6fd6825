"""What `engine:` may say of a cluster: each mistake is placed, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mattebox.daemon.config.load import load_config
from mattebox.daemon.errors import ConfigError

CONFIG = """\
version: 1
engine: {engine}
folders:
  - {{name: studio, watch: ./in, rules: [{{deliver: [{{format: png, to: "./out/{{stem}}.png"}}]}}]}}
"""


@pytest.mark.parametrize(
    ("engine", "place", "words"),
    [
        ("{workers: dask}", "2:19", "needs scheduler: tls://HOST:PORT"),
        ('{workers: dask, scheduler: "tcp://10.0.0.1:8786"}', "2:36", "only tls:// with certificates"),
        ('{workers: dask, scheduler: "tls://10.0.0.1:8786"}', "2:36", "needs certificates:"),
        ('{workers: dask, scheduler: "tls://a:1", certificates: ./no}', "2:36", "mattebox cluster certs"),
        ('{scheduler: "tcp://127.0.0.1:8786"}', "2:10", "write workers: dask"),
        ("{resources: {GPU: 1}}", "2:10", "write workers: dask"),
        ('{workers: dask, scheduler: "tcp://127.0.0.1:1", resources: {GPU: 0}}', "2:", "resources"),
        ("{workers: ray}", "2:19", "auto or dask"),
    ],
)
def test_mistakes_of_a_cluster_are_placed(tmp_path: Path, engine: str, place: str, words: str) -> None:
    """FILE:LINE:COLUMN and what to write."""
    file = tmp_path / "rules.yaml"
    file.write_text(CONFIG.format(engine=engine), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    (line,) = caught.value.mistakes
    assert line.startswith(f"{file}:{place}")
    assert words in line


def test_a_cluster_on_this_machine_needs_nothing_more(tmp_path: Path) -> None:
    """Loopback without certificates is right."""
    file = tmp_path / "rules.yaml"
    engine = '{workers: dask, scheduler: "tcp://127.0.0.1:8786", resources: {GPU: 1}}'
    file.write_text(CONFIG.format(engine=engine), encoding="utf-8")
    assert load_config(file).config.engine.resources == {"GPU": 1}
