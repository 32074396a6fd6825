"""`mattebox gimp`: the plug-in for GIMP 3."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mattebox.cli.echo import echo
from mattebox.core.errors import MatteboxError
from mattebox.gimp_plugin.doctor import examine, examine_engine
from mattebox.gimp_plugin.install import install, record, remove
from mattebox.gimp_plugin.profiles import find_profiles, profile_at
from mattebox.gimp_plugin.rendezvous import default_folder, require_short
from mattebox.models.catalogue import PROMPTABLE, find_network, load_catalogue
from mattebox.models.store import models_folder

if TYPE_CHECKING:
    from mattebox.gimp_plugin.profiles import Profile

_NONE_FOUND = (
    "There is no profile of GIMP 3 here. Start GIMP once and run this again, or name the profile's folder "
    "with --profile (GIMP shows it under Edit > Preferences > Folders)."
)
_profile = click.option(
    "--profile",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="A profile's folder, such as ~/.config/GIMP/3.0; repeatable. Default: every one that is found.",
)


@click.group(name="gimp")
def command() -> None:
    """Put the plug-in into GIMP 3, take it away, or find out what is wrong."""


@command.command(name="install")
@_profile
@click.pass_context
def install_plugin(context: click.Context, *, folders: tuple[Path, ...]) -> None:
    """Put the plug-in into every GIMP 3 profile: native, Flatpak and Snap."""
    profiles = _profiles(context, folders)
    networks = [network for network in load_catalogue().values() if network.kind == "salient"]
    rows = [
        (network.name, network.name + (" (not for commercial use)" if network.commercial is False else ""))
        for network in networks
    ]
    require_short(default_folder())
    facts = {
        network.name: {
            "file": network.file,
            "size": network.size,
            "licence": network.licence,
            "commercial": network.commercial,
        }
        # The one that answers clicks is in no list, but is asked about before it is fetched.
        for network in (*networks, find_network(PROMPTABLE))
    }
    details = record(default_folder(), rows, facts, models_folder())
    failed = False
    for profile in profiles:
        try:
            echo(f"{profile.label}: {install(profile, details)}")
        except MatteboxError as error:
            failed = True
            echo(str(error), err=True)
    if len(profiles) and not failed:
        click.echo("Start GIMP anew: Layer > Mask > Mask the Subject, or press / and type its name.")
    if any(profile.kind in ("Flatpak", "Snap") for profile in profiles):
        click.echo(
            "GIMP from Flatpak or Snap may not start programs: leave 'mattebox engine --idle 0' running."
        )
    context.exit(1 if failed else 0)


@command.command(name="remove")
@_profile
@click.pass_context
def remove_plugin(context: click.Context, *, folders: tuple[Path, ...]) -> None:
    """Take the plug-in out of every GIMP 3 profile."""
    failed = False
    for profile in _profiles(context, folders):
        try:
            done = remove(profile)
            echo(f"{profile.label}: {'removed' if done else 'was not installed'}")
        except MatteboxError as error:
            failed = True
            echo(str(error), err=True)
    context.exit(1 if failed else 0)


@command.command()
@_profile
@click.pass_context
def doctor(context: click.Context, *, folders: tuple[Path, ...]) -> None:
    """Say in plain words why the plug-in does not show up, or cannot reach the engine."""
    good = True
    for profile in _profiles(context, folders):
        findings = list(examine(profile))
        if all(finding.good for finding in findings):
            findings.append(examine_engine(profile))
        for finding in findings:
            echo(f"{'ok ' if finding.good else 'NOT'} {finding.sentence}")
        good = good and all(finding.good for finding in findings)
    context.exit(0 if good else 1)


def _profiles(context: click.Context, folders: tuple[Path, ...]) -> list[Profile]:
    for folder in folders:
        if not folder.is_dir():
            raise click.UsageError(f"{folder}: there is no such folder.", context)
    profiles = [profile_at(folder.absolute()) for folder in folders] or find_profiles()
    if not profiles:
        click.echo(_NONE_FOUND, err=True)
        context.exit(1)
    return profiles
