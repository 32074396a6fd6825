"""The messages: what is sent arrives, what makes no sense is refused, the key is proved."""

from __future__ import annotations

import ast
import threading
from dataclasses import replace
from multiprocessing import AuthenticationError, Pipe
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattebox.gimp_plugin.mattebox import protocol
from mattebox.gimp_plugin.mattebox.protocol import CutRequest, ProtocolError

SOUND = CutRequest(width=4, height=3, channels=3, bits=8, settings={})
FOLDER = Path(protocol.__file__).parent


def head_of(request: CutRequest) -> dict[str, Any]:
    """The head of a request as the other end receives it."""
    return {"mattebox": 1, "say": "cut", "blobs": request.lengths(), **request.head()}


@given(st.lists(st.binary(max_size=50), max_size=4), st.dictionaries(st.text(), st.integers()))
def test_a_message_arrives_as_it_was_sent(blobs: list[bytes], values: dict[str, int]) -> None:
    """Values and bytes come out at the other end unchanged, empty ones too."""
    here, there = Pipe()
    with here, there:
        protocol.send(here, "cut", blobs, values=values)
        head = protocol.receive_head(there)
        assert (head["say"], head["values"], head["mattebox"]) == ("cut", values, protocol.VERSION)
        assert protocol.receive_blobs(there, head) == blobs


@pytest.mark.parametrize(
    "frame",
    [b"\x80\x04N.", b"[]", b'{"blobs": []}', b'{"say": "cut", "blobs": [-1]}', b'{"say": 1}', b"\xff"],
)
def test_a_frame_that_is_no_message_is_refused(frame: bytes) -> None:
    """Pickles, other JSON and negative sizes end in ProtocolError, not in an attempt to read on."""
    here, there = Pipe()
    with here, there:
        here.send_bytes(frame)
        with pytest.raises(ProtocolError):
            protocol.receive_head(there)


def test_a_sound_request_comes_back_whole() -> None:
    """of() undoes head()."""
    request = replace(SOUND, box=[0, 1, 2, 3], has_mask=True, rough=True)
    assert CutRequest.of(head_of(request)) == request


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0},
        {"width": 600_000},
        {"width": 4.0},
        {"channels": 4},
        {"bits": 32},
        {"combine": "xor"},
        {"combine": "add"},
        {"rough": True},
        {"rough": 1},
        {"box": [0, 0, 5, 3]},
        {"box": [2, 0, 2, 3]},
        {"box": [0, 0, 1]},
        {"box": "all"},
        {"rule": None},
        {"settings": []},
        {"unknown": 1},
        {"blobs": [1]},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    """Sizes out of bounds, masks that were not sent and unknown keys are a ProtocolError."""
    with pytest.raises(ProtocolError):
        CutRequest.of({**head_of(SOUND), **change})


def test_a_request_without_a_size_is_refused() -> None:
    """A key that must be there and is not is a ProtocolError."""
    head = head_of(SOUND)
    del head["width"]
    with pytest.raises(ProtocolError):
        CutRequest.of(head)


@pytest.mark.parametrize("theirs", [b"same", b"other"])
def test_both_ends_prove_the_key(theirs: bytes) -> None:
    """Equal keys let both ends go on; different keys stop both."""
    here, there = Pipe()
    failures: list[BaseException] = []

    def answer() -> None:
        try:
            protocol.prove(there, theirs, first=False)
        except (AuthenticationError, EOFError, OSError) as error:
            failures.append(error)

    thread = threading.Thread(target=answer)
    thread.start()
    with here:
        if theirs == b"same":
            protocol.prove(here, b"same", first=True)
        else:
            with pytest.raises(AuthenticationError):
                protocol.prove(here, b"same", first=True)
        thread.join(10)
    assert bool(failures) == (theirs == b"other")
    there.close()


def test_a_folder_that_others_can_enter_is_not_private(tmp_path: Path) -> None:
    """Only a real folder of ours with mode 0700 counts."""
    tmp_path.chmod(0o700)
    assert protocol.is_private(tmp_path)
    (tmp_path / "open").mkdir(mode=0o755)
    assert not protocol.is_private(tmp_path / "open")
    (tmp_path / "link").symlink_to(tmp_path)
    assert not protocol.is_private(tmp_path / "link")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_the_oldest_python_of_gimp_can_read_the_plug_in(path: Path) -> None:
    """Every file that GIMP runs is Python 3.9, and puts off all annotations."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert [alias.name for node in futures for alias in node.names] == ["annotations"]
