"""The service over HTTP with real workers: answers, refusals, the queue, clients that go, keys, numbers."""

from __future__ import annotations

import base64
import io
import json
import socket
import threading
import zipfile
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from tests.daemon.hot_folders import until
from tests.web.serving import BOUNDARY, FORM_TYPE, Serving, form, serving

from mattebox.core.settings import ReadLimits
from mattebox.web.service.app import CUT, REMOVEBG, ServiceSettings
from mattebox.web.service.cutters import CutterSettings
from mattebox.web.service.upload import UploadLimits

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.network, pytest.mark.slow]

_FAST = json.dumps({"cut": {"quality": "fast"}})


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service with small limits."""
    settings = ServiceSettings(
        quality="fast",
        uploads=UploadLimits(3_000_000, silence=1.0),
        limits=ReadLimits(megapixels=1, megabytes=3),
    )
    with serving(tmp_path_factory.mktemp("serve"), settings) as found:
        yield found


@pytest.fixture(scope="module")
def cat(shipped_photos: dict[str, Path]) -> bytes:
    """A photo of 451 x 300 pixels."""
    return shipped_photos["cat.png"].read_bytes()


def _error(body: bytes) -> tuple[str, str]:
    error = json.loads(body)["errors"][0]
    return error["code"], error["title"]


def test_a_photo_comes_back_cut(service: Serving, cat: bytes) -> None:
    """The interface's answer: a PNG with alpha, its size, the subject's box; nothing stays on the disk."""
    answer = service.post(REMOVEBG, {"image_file": cat, "size": "auto"})
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    with Image.open(io.BytesIO(answer.body)) as picture:
        assert (picture.mode, picture.size) == ("RGBA", (451, 300))
        assert picture.getchannel("A").getextrema() == (0, 255)
    assert (answer.headers["x-width"], answer.headers["x-height"]) == ("451", "300")
    box = [int(answer.headers[f"x-foreground-{name}"]) for name in ("left", "top", "width", "height")]
    assert all(value >= 0 for value in box)
    assert 0 < box[2] <= 451
    assert "server" not in answer.headers
    until(lambda: not service.uploads, 10)


def test_the_other_ways_in_and_out(service: Serving, cat: bytes) -> None:
    """base64 in JSON and in multipart; JSON with base64 for clients that accept that alone; a ZIP."""
    encoded = base64.b64encode(cat).decode()
    as_json = service.ask(
        "POST",
        REMOVEBG,
        json.dumps({"image_file_b64": encoded, "size": "preview", "crop": False, "roi": None}).encode(),
        {"Content-Type": "application/json", "Accept": "application/json"},
    )
    assert as_json.status == 200
    data = json.loads(as_json.body)["data"]
    plain = service.post(REMOVEBG, {"image_file_b64": f"data:image/png;base64,{encoded}"})
    assert base64.b64decode(data["result_b64"]) == plain.body
    assert str(data["foreground_width"]) == plain.headers["x-foreground-width"]
    zipped = service.post(REMOVEBG, {"image_file": cat, "format": "zip"})
    with zipfile.ZipFile(io.BytesIO(zipped.body)) as archive:
        assert archive.namelist() == ["color.jpg", "alpha.png"]
        with Image.open(archive.open("color.jpg")) as colours, Image.open(archive.open("alpha.png")) as alpha:
            assert (colours.mode, alpha.mode) == ("RGB", "L")
            assert colours.size == alpha.size == (451, 300)


def test_a_rules_settings_with_several_outputs_and_the_report(service: Serving, cat: bytes) -> None:
    """Several outputs come as multipart with the report first, or as JSON with all of it in base64."""
    settings = json.dumps({"cut": {"quality": "fast"}, "deliver": ["psd", "webp", "mask"]})
    answer = service.post(CUT, {"photo": cat, "settings": settings})
    assert answer.headers["content-type"].startswith("multipart/mixed")
    message = message_from_bytes(
        b"Content-Type: " + answer.headers["content-type"].encode() + b"\r\n\r\n" + answer.body
    )
    report, *outputs = message.get_payload()
    told = json.loads(report.get_payload(decode=True))
    assert [output.get_content_type() for output in outputs] == [
        "image/vnd.adobe.photoshop",
        "image/webp",
        "image/png",
    ]
    assert [len(output.get_payload(decode=True)) for output in outputs] == [
        item["bytes"] for item in told["outputs"]
    ]
    assert told["input"] == "photo"
    assert str(service.folder) not in answer.body.decode("latin-1")
    as_json = service.post(CUT, {"photo": cat, "settings": _FAST}, {"Accept": "application/json"})
    found = json.loads(as_json.body)
    assert base64.b64decode(found["outputs"][0]["data"])[:4] == b"\x89PNG"
    assert 0 <= found["report"]["confidence"] <= 1


def test_what_cannot_be_done_is_the_interfaces_error(service: Serving, cat: bytes) -> None:
    """Each mistake has its status, a code and a sentence without a path of this machine."""
    large = io.BytesIO()
    Image.new("RGB", (1200, 1200)).save(large, "PNG")
    empty = io.BytesIO()
    Image.new("RGB", (64, 64), "gray").save(empty, "PNG")
    cases: list[tuple[dict[str, str | bytes], int, str]] = [
        ({"size": "auto"}, 400, "missing_source"),
        ({"image_file": b""}, 400, "missing_source"),
        ({"image_file": b"no photo at all"}, 400, "failed_to_read_image"),
        ({"image_file": cat[:2000]}, 400, "failed_to_read_image"),
        ({"image_file": cat, "image_file_b64": "aaaa"}, 400, "multiple_sources"),
        ({"image_file": cat, "image_url": "http://example.org/x.png"}, 400, "multiple_sources"),
        ({"image_url": "http://example.org/x.png"}, 400, "failed_to_fetch_image"),
        ({"image_url": "file:///etc/passwd"}, 400, "failed_to_fetch_image"),
        ({"image_file_b64": "?!"}, 400, "invalid_base64"),
        ({"image_file": cat, "size": "huge"}, 400, "invalid_parameter"),
        ({"image_file": large.getvalue()}, 413, "resolution_too_high"),
        ({"image_file": b"\0" * 4_000_000}, 413, "file_too_large"),
    ]
    for fields, status, code in cases:
        answer = service.post(REMOVEBG, fields)
        found = _error(answer.body)
        assert (answer.status, found[0]) == (status, code), found
        assert str(service.folder) not in found[1]
    assert _error(service.post(CUT, {"photo": cat, "settings": '{"cut": {"model": "nix"}}'}).body)[0] in (
        "invalid_parameter",
        "invalid_settings",
    )
    missing = service.post(CUT, {"photo": cat, "settings": '{"cut": {"model": "birefnet-massive"}}'})
    assert missing.status == 400
    assert service.ask("GET", "/nothing").status == 404
    assert service.ask("GET", REMOVEBG).status == 405
    assert service.ask("POST", REMOVEBG, b"x", {"Content-Type": "text/plain"}).status == 415
    assert service.ask("POST", REMOVEBG, b"garbage", {"Content-Type": FORM_TYPE}).status == 400
    until(lambda: not service.uploads, 10)


def test_a_page_of_the_web_is_refused(service: Serving, cat: bytes) -> None:
    """A foreign Origin and a foreign Host get nothing, for any page can post to this machine."""
    assert service.post(REMOVEBG, {"image_file": cat}, {"Origin": "http://evil.example"}).status == 403
    assert service.ask("GET", "/health", headers={"Host": "evil.example"}).status == 421


def test_an_upload_that_stops_coming_is_given_up(service: Serving) -> None:
    """A client that sends half a photo and then nothing gets 408 after the silence, and its place is free."""
    head = (
        f"POST {REMOVEBG} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM_TYPE}\r\n"
        f"Content-Length: 100000\r\n\r\n--{BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="image_file"\r\n\r\nhalf'
    )
    with socket.create_connection(("127.0.0.1", service.port), 60) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 408")
    until(lambda: service.cutters.here == 0 and not service.uploads, 10)


def test_a_client_that_goes_costs_no_more(service: Serving, cat: bytes) -> None:
    """Whose client has gone is given up: its place and its files are free, and the next photo is cut."""
    body = form({"photo": cat, "settings": json.dumps({"cut": {"quality": "best"}})})
    head = (
        f"POST {CUT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    for _ in range(4):
        with socket.create_connection(("127.0.0.1", service.port), 60) as connection:
            connection.sendall(head.encode() + body)
            until(lambda: service.cutters.in_work > 0, 30)
    until(lambda: service.cutters.here == 0 and service.cutters.in_work == 0 and not service.uploads, 60)
    assert service.post(CUT, {"photo": cat, "settings": _FAST}).status == 200


def test_health_numbers_and_the_document(service: Serving) -> None:
    """/health says that it lives, /metrics counts by our own paths alone, /openapi.json lists every path."""
    assert json.loads(service.ask("GET", "/health").body)["status"] == "ok"
    service.ask("GET", "/secret-name-of-a-client")
    numbers = service.ask("GET", "/metrics").body.decode()
    assert 'mattebox_requests_total{path="/health",status="200"}' in numbers
    assert "mattebox_requests_most 65.0" in numbers
    assert "secret-name" not in numbers
    document = json.loads(service.ask("GET", "/openapi.json").body)
    assert document["openapi"].startswith("3.1")
    assert {REMOVEBG, CUT, "/health", "/metrics"} <= set(document["paths"])
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}:
        assert reference in document["components"]["schemas"], reference


def test_a_full_queue_says_when_to_come_back_and_keys_are_asked_for(tmp_path: Path, cat: bytes) -> None:
    """With one place more than a worker has, others get 429 with Retry-After; without a key 403."""
    settings = ServiceSettings(quality="fast", keys=("first", "zweiter-schlüssel"))
    with serving(tmp_path, settings, CutterSettings(queue=1), start=False) as service:
        assert service.post(REMOVEBG, {"image_file": cat}).status == 403
        assert _error(service.post(REMOVEBG, {}, {"X-Api-Key": "firs"}).body)[0] == "auth_failed"
        assert service.ask("GET", "/health").status == 200
        assert service.ask("GET", "/metrics").status == 403
        found = []

        def ask() -> None:
            found.append(service.post(REMOVEBG, {"image_file": cat}, {"X-Api-Key": "first"}))

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    statuses = sorted(answer.status for answer in found)
    assert statuses[:2] == [200, 200]
    assert statuses[-1] == 429
    late = next(answer for answer in found if answer.status == 429)
    assert int(late.headers["retry-after"]) >= 1
    assert _error(late.body)[0] == "rate_limit_exceeded"
    assert not list(tmp_path.iterdir())


def test_a_photo_is_fetched_from_named_hosts_alone(tmp_path: Path, cat: bytes) -> None:
    """A host that was named is asked, no redirect is followed; the same server under another name is not."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/cat.png")
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(cat if self.path == "/cat.png" else b"\0" * 2_000_000)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    photos = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=photos.serve_forever)
    thread.start()
    port = photos.server_address[1]
    settings = ServiceSettings(quality="fast", urls=(f"127.0.0.1:{port}",), uploads=UploadLimits(1_000_000))
    try:
        with serving(tmp_path, settings) as service:
            for host, path, status in (
                (f"127.0.0.1:{port}", "/cat.png", 200),
                (f"127.0.0.1:{port}", "/moved", 400),
                (f"127.0.0.1:{port}", "/large", 413),
                (f"localhost:{port}", "/cat.png", 400),
                (f"x@127.0.0.1:{port}", "/cat.png", 400),
            ):
                answer = service.post(REMOVEBG, {"image_url": f"http://{host}{path}"})
                assert answer.status == status, (host, path, answer.body[:200])
    finally:
        photos.shutdown()
        thread.join()
        photos.server_close()


def test_a_stop_lets_a_photo_end(tmp_path: Path, cat: bytes) -> None:
    """What is in work when the server is told to stop is answered; nothing is left on the disk."""
    found = []
    with serving(tmp_path, ServiceSettings(quality="fast")) as service:
        thread = threading.Thread(target=lambda: found.append(service.post(REMOVEBG, {"image_file": cat})))
        thread.start()
        until(lambda: service.cutters.in_work > 0, 60)
    thread.join(60)
    assert [answer.status for answer in found] == [200]
    assert not list(tmp_path.iterdir())


def test_uploads_of_a_killed_server_are_removed(tmp_path: Path) -> None:
    """A folder whose server no longer lives goes when the next one begins; a living one's stays."""
    dead = tmp_path / "mattebox-serve-dead"
    (dead / "request").mkdir(parents=True)
    (dead / "request" / "photo").write_bytes(b"private")
    with serving(tmp_path, start=False) as first, serving(tmp_path, start=False) as second:
        assert not dead.exists()
        assert first.folder.exists()
        assert second.folder.exists()
