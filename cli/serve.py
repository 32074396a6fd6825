"""`mattebox serve`: photos are posted over HTTP, cutouts come back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mattebox.cli.echo import echo
from mattebox.cli.fetching import FetchProgress
from mattebox.core.errors import MissingExtraError, SettingsError, reason_of
from mattebox.core.extra import install_command
from mattebox.core.network.device import DEVICES
from mattebox.core.settings import ReadLimits
from mattebox.daemon.config.units import parse_bytes, parse_duration, parse_memory

if TYPE_CHECKING:
    from collections.abc import Callable

_PORT: Final = 8787
_KEYS: Final = "MATTEBOX_API_KEYS"


class _Quantity(click.ParamType[Any]):
    """A value as the YAML writes it: 100MB, 2m."""

    def __init__(self, name: str, example: str, parse: Callable[[Any], Any]) -> None:
        self.name = name
        self._example = example
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number behind it."""
        try:
            return self._parse(value)
        except ValueError:
            self.fail(f"{value!r} is no {self.name}; write it as {self._example}.", param, ctx)


@click.command(name="serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--name", "names", multiple=True, metavar="HOST", help="A name by which clients ask, too; repeatable."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="0: a free one."
)
@click.option(
    "-m", "--model", default="u2net", show_default=True, help="The network, where none is asked for."
)
@click.option(
    "--quality",
    type=click.Choice(["fast", "balanced", "best"]),
    default="balanced",
    show_default=True,
    help="Of /v1.0/removebg.",
)
@click.option(
    "--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="Where networks run."
)
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes that cut; default: what fits this machine."
)
@click.option(
    "--memory",
    type=_Quantity("size", "auto, none or 4GB", parse_memory),
    default="auto",
    show_default=True,
    help="Most memory of a worker: auto, none, 4GB.",
)
@click.option(
    "--queue",
    type=click.IntRange(0, 10_000),
    default=64,
    show_default=True,
    help="Photos that may wait; more get 429.",
)
@click.option(
    "--timeout",
    type=_Quantity("duration", "30s or 2m", parse_duration),
    default="2m",
    show_default=True,
    help="Most seconds of work on a photo.",
)
@click.option(
    "--max-upload",
    type=_Quantity("size", "100MB", parse_bytes),
    default="100MB",
    show_default=True,
    help="Most bytes of a request.",
)
@click.option(
    "--max-megapixels",
    type=click.FloatRange(min=0, min_open=True),
    default=300.0,
    show_default=True,
    help="Largest photo.",
)
@click.option(
    "--allow-urls", multiple=True, metavar="HOST", help="Let clients name photos on this host; repeatable."
)
@click.option(
    "--api-keys",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"Keys that clients send as X-Api-Key, one a line; or in {_KEYS}.",
)
@click.option(
    "--tls-certificate", type=click.Path(path_type=Path), metavar="FILE", help="PEM; with --tls-key."
)
@click.option(
    "--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="PEM, without a pass phrase."
)
@click.option(
    "--grace",
    type=_Quantity("duration", "30s or 2m", parse_duration),
    default="30s",
    show_default=True,
    help="How long requests may go on when it is told to stop.",
)
def command(
    *,
    host: str,
    names: tuple[str, ...],
    port: int,
    model: str,
    quality: str,
    device: str,
    workers: int | None,
    memory: Any,
    queue: int,
    timeout: float,
    max_upload: int,
    max_megapixels: float,
    allow_urls: tuple[str, ...],
    api_keys: Path | None,
    tls_certificate: Path | None,
    tls_key: Path | None,
    grace: float,
) -> None:
    """Serve POST /v1.0/removebg and POST /v1/cut until stopped; docs/service.md says how they are asked.

    Only this machine reaches it, unless --host is another address: then keys and TLS files are needed.
    """
    try:
        from mattebox.web.server import Address, Server, check_address  # noqa: PLC0415 - an extra
        from mattebox.web.service.app import Service, ServiceSettings  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            f"The service needs extra packages; install them with: {install_command('web')}"
        ) from error
    from mattebox.daemon.inbox import Inbox  # noqa: PLC0415
    from mattebox.web.service.cutters import Cutters, CutterSettings, start_workers  # noqa: PLC0415
    from mattebox.web.service.upload import UploadLimits  # noqa: PLC0415
    from mattebox.web.service.work_folder import WorkFolder  # noqa: PLC0415

    keys = _keys(api_keys)
    address = Address(host, port, tls_certificate, tls_key)
    check_address(address, has_password=bool(keys), needed="--api-keys and TLS files")
    settings = ServiceSettings(
        model=model,
        quality=quality,
        keys=keys,
        urls=tuple(name.lower() for name in allow_urls),
        uploads=UploadLimits(max_upload),
        limits=ReadLimits(megapixels=max_megapixels, megabytes=max(max_upload / 1e6, 0.001)),
        host=host,
        names=names,
    )
    cutting = CutterSettings(model, device, workers or "auto", memory, queue, timeout)
    inbox = Inbox()
    pool, sizing = start_workers(cutting, inbox, FetchProgress())
    try:
        with WorkFolder() as folder:
            service = Service(settings, Cutters(pool, inbox, sizing.workers, cutting), folder)
            server = Server(service.app(), address, grace=grace)
            pool.start()
            count = f"{sizing.workers} worker{'' if sizing.workers == 1 else 's'}"
            echo(f"Serving {server.url} with {count} ({sizing.why}). Ctrl+C stops it.")
            server.run()
    finally:
        pool.stop()


def _keys(file: Path | None) -> tuple[str, ...]:
    text = os.environ.get(_KEYS, "").replace(",", "\n")
    if file is not None:
        try:
            text += "\n" + file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file}: the keys cannot be read ({reason_of(error)}).") from error
    keys = tuple(line.strip() for line in text.splitlines() if line.strip())
    if file is not None and not keys:
        raise SettingsError(f"{file}: there is no key in it; write one a line.")
    return keys
