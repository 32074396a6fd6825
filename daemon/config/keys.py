"""The configuration of hot folders: what the YAML may say, as frozen settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, create_model, field_validator

from mattebox.core.network.device import Device  # noqa: TC001 - pydantic reads the annotation
from mattebox.core.settings import CutSettings, FinishSettings, Output, Settings
from mattebox.core.settings.label import LabelSettings  # noqa: TC001 - pydantic reads the annotation
from mattebox.core.settings.rule import rule_name
from mattebox.daemon.config.companions import SIDECARS, CompanionRules, Pairs, checked_endings
from mattebox.daemon.config.conditions import REGISTRY
from mattebox.daemon.config.conditions.base import as_list
from mattebox.daemon.config.template import check_template
from mattebox.daemon.config.units import Duration, Memory  # noqa: TC001 - pydantic reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterator


def _from_base(path: Path, info: ValidationInfo) -> Path:
    """A path as written, made absolute from the configuration's own folder. Raises ValueError."""
    if "\0" in str(path):
        raise ValueError("a path cannot hold a NUL character")
    base = info.context["base"] if info.context else Path.cwd()
    try:
        return Path(base, path.expanduser())
    except RuntimeError as error:
        raise ValueError("~ stands for a home folder, and this user has none here") from error


ConfigPath = Annotated[Path, AfterValidator(_from_base)]
Name = Annotated[str, Field(pattern=r"^[^/\\\x00-\x1f]+$", max_length=80)]
Companions = Annotated[
    bool | frozenset[str],
    BeforeValidator(lambda value: value if isinstance(value, bool) else checked_endings(value)),
]
Globs = Annotated[list[str], BeforeValidator(as_list)]


class When(Settings):
    """What a file must be for a rule to take it; all conditions must hold, none means any photo."""

    any: list[When] = Field([], description="at least one of these must hold")
    all: list[When] = Field([], description="all of these must hold")
    not_: When | None = Field(None, alias="not", description="this must not hold")

    def arguments(self) -> Iterator[tuple[str, Any]]:
        """Each condition's name and argument, in the registry's order (cheap ones first)."""
        for name in REGISTRY:
            if name in self.model_fields_set:
                yield name, getattr(self, name)


if TYPE_CHECKING:

    class Delivery(Settings):
        """One output of a rule: its format's own settings and `to`, the template of its path."""

        format: str
        to: str
else:
    # The registry's conditions and the formats' settings become keys here, so that pydantic checks them
    # and the JSON Schema shows them.
    When = create_model(
        "When",
        __base__=When,
        __doc__=When.__doc__,
        any=(list["When"], Field([], description="at least one of these must hold")),
        all=(list["When"], Field([], description="all of these must hold")),
        not_=(Union["When", None], Field(None, alias="not", description="this must not hold")),
        **{
            name: (condition.argument, Field(None, description=condition.help))
            for name, condition in REGISTRY.items()
        },
    )
    When.model_rebuild(_types_namespace={"When": When})
    Delivery = Annotated[
        Union[  # noqa: UP007 - the members are computed
            tuple(
                create_model(
                    f"Deliver{output.__name__}",
                    __base__=output,
                    __doc__=output.__doc__,
                    to=(
                        Annotated[str, AfterValidator(check_template)],
                        Field(description="the path of the output, with fields such as {tree} and {stem}"),
                    ),
                )
                for output in get_args(get_args(Output)[0])
            )
        ],
        Field(discriminator="format"),
    ]


class Review(Settings):
    """When a person looks at a cutout before it is delivered."""

    below: float = Field(0.0, ge=0, le=1, description="cutouts less confident than this are reviewed")
    warnings: Globs = Field([], description="warnings that send a cutout to review; * means any")
    to: ConfigPath = Field(Path("review"), validate_default=True, description="the folder of reviews")


class Rule(Settings):
    """Which files it takes, and what becomes of them; what it does not say comes from `defaults`."""

    name: Name = ""
    when: When = Field(default_factory=When)
    cut: CutSettings = CutSettings()
    finish: FinishSettings = FinishSettings()
    review: Review | None = None
    label: LabelSettings | None = Field(None, description="colour label and stars, as XMP")
    deliver: list[Delivery] = Field([], description="the outputs; those of `defaults` where empty")


class FolderKeys(Settings):
    """How a folder is watched and what becomes of its originals: in a folder, or in `defaults`."""

    recursive: bool = True
    mode: Literal["native", "poll", "auto"] = "auto"
    settle: Duration = Field(2.0, ge=0, description="how long a file must stay unchanged")
    poll: Duration = Field(5.0, gt=0, description="time between looks where events are not to be had")
    rescan: Duration = Field(60.0, gt=0, description="time between looks beside events")
    patience: Duration = Field(60.0, gt=0, description="how long an incomplete file may stay unchanged")
    ignore: Globs = Field([], description="globs of names or paths that are left alone")
    originals: Literal["done", "keep"] = Field("done", description="move originals, or leave them in place")
    done: ConfigPath = Field(Path("done"), validate_default=True)
    failed: ConfigPath = Field(Path("failed"), validate_default=True)
    companions: Companions = Field(
        True,
        description="sidecars (photo.xmp, photo.jpg.xmp, .pp3, .dop, .cos, ...) move with their photo; "
        "false, or a list of endings",
    )
    pairs: Pairs = Field(
        "both", description="of a RAW and its JPEG both are cut, or raw or jpeg: the other travels with it"
    )
    attempts: int = Field(3, ge=1, le=100, description="attempts before a file goes to failed")
    deduplicate: bool = Field(False, description="do the same content only once")


class Defaults(FolderKeys):
    """What holds for every folder and every rule that says nothing else."""

    cut: CutSettings = CutSettings()
    finish: FinishSettings = FinishSettings()
    review: Review | None = None
    label: LabelSettings | None = None
    deliver: list[Delivery] = Field([])


class Folder(FolderKeys):
    """One hot folder; what it does not say comes from `defaults`."""

    name: Name
    watch: ConfigPath
    rules: list[Rule] = Field(min_length=1)

    @property
    def companion_rules(self) -> CompanionRules:
        """Which files beside a photo belong to it."""
        known = self.companions
        endings = SIDECARS if known is True else frozenset() if known is False else known
        return CompanionRules(endings, self.pairs)

    def rule_name(self, index: int) -> str:
        """A rule's own name, or rule-1, rule-2, ... by its place."""
        return rule_name(self.rules[index].name, index)


class EngineConfig(Settings):
    """How the work is done."""

    model: str | None = Field(None, description="the network where neither rule nor defaults name one")
    device: Device = "auto"
    workers: Literal["auto", "dask"] | Annotated[int, Field(ge=1, le=256)] = Field(
        "auto", description="worker processes on this machine; dask: those of a cluster"
    )
    scheduler: str | None = Field(None, description="a Dask cluster's address: tls://HOST:PORT")
    certificates: ConfigPath | None = Field(None, description="the folder that 'mattebox cluster certs' made")
    resources: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {}, description="what each job takes of a cluster's worker, such as {GPU: 1}"
    )
    memory: Memory = Field("auto", description="the most that each worker may take; auto: what is free")
    timeout: Duration = Field(120.0, gt=0, description="the longest that one photo may take")
    grace: Duration = Field(30.0, ge=0, description="time to finish work when the daemon is told to end")


class Webhook(Settings):
    """Where events are sent as JSON; ${NAME} in url and headers is taken from the environment."""

    url: str = Field(pattern=r"^(https?://|\$\{)")
    headers: dict[str, str] = Field({})
    timeout: Duration = Field(10.0, gt=0)
    attempts: int = Field(4, ge=1, le=10)


Event = Literal["delivered", "review", "failed", "idle"]


class Notify(Settings):
    """Who is told what; nothing by default."""

    on: list[Event] = Field(["delivered", "review", "failed", "idle"])
    webhook: Webhook | None = None
    command: list[str] = Field([], description="a program and its arguments; it reads the event as JSON")
    command_timeout: Duration = Field(30.0, gt=0)


class Metrics(Settings):
    """Prometheus metrics on loopback; needs the extra `metrics`."""

    port: int = Field(ge=1, le=65535)


class Config(Settings):
    """The whole configuration; paths are relative to its file."""

    version: Literal[1]
    state: ConfigPath | None = None
    engine: EngineConfig = EngineConfig()
    defaults: Defaults = Defaults()
    notify: Notify = Notify()
    metrics: Metrics | None = None
    folders: list[Folder] = Field(min_length=1)

    @field_validator("folders", mode="after")
    @classmethod
    def _filled(cls, folders: list[Folder], info: ValidationInfo) -> list[Folder]:
        """What a folder does not say comes from `defaults`, which were read before it."""
        defaults = info.data.get("defaults")
        if not isinstance(defaults, Defaults):
            return folders
        keys = defaults.model_fields_set & set(FolderKeys.model_fields)
        said = {key: getattr(defaults, key) for key in keys}
        return [
            folder.model_copy(update={key: said[key] for key in said if key not in folder.model_fields_set})
            for folder in folders
        ]
