"""A rule of a hot-folder YAML gives the editor the settings that the hot folder has."""

from __future__ import annotations

from pathlib import Path

import pytest

from mattebox.core.errors import SettingsError
from mattebox.core.settings.rule import read_rule
from mattebox.daemon.config.load import load_config
from mattebox.daemon.config.planning import cut_settings

CONFIG = """
version: 1
engine: {model: u2netp}
defaults:
  cut: {refine: none}
  deliver: [{format: png, to: "./out/{stem}.png"}]
folders:
  - name: studio
    watch: ./in
    rules:
      - {name: packshots, when: {extension: jpg}, cut: {model: isnet-general-use}}
      - cut: {refine: auto}
  - name: street
    watch: ./other
    rules:
      - {name: packshots, cut: {decontaminate: false}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A file with three rules, two of one name."""
    path = tmp_path / "mattebox.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def test_a_rule_goes_before_defaults_and_engine(config: Path) -> None:
    """The rule's own key wins, then defaults, then the engine's network."""
    rule = read_rule(config, "rule-2")
    assert (rule.model, rule.refine) == ("u2netp", "auto")
    rule = read_rule(config, "studio/packshots")
    assert (rule.model, rule.refine) == ("isnet-general-use", "none")


@pytest.mark.parametrize("name", ["packshots", "nothing", ""])
def test_a_name_that_fits_not_exactly_one_rule_lists_them(config: Path, name: str) -> None:
    """Two rules of one name, no such rule, or no name where there are several: the known ones are told."""
    with pytest.raises(SettingsError, match="rule-2"):
        read_rule(config, name)


def test_editor_and_hot_folder_read_the_same_of_every_rule(config: Path) -> None:
    """Each rule's settings are the very ones that the daemon plans with."""
    loaded = load_config(config)
    names = []
    for folder in loaded.config.folders:
        for index, rule in enumerate(folder.rules):
            names.append(f"{folder.name}/{folder.rule_name(index)}")
            assert read_rule(config, names[-1]) == cut_settings(loaded.config, rule)
    assert names == ["studio/packshots", "studio/rule-2", "street/packshots"]


def test_a_mistake_is_told_with_its_line_and_column(tmp_path: Path) -> None:
    """As `mattebox check` would: FILE:LINE:COLUMN."""
    path = tmp_path / "twice.yaml"
    path.write_text("version: 1\nversion: 1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"twice\.yaml:2:1: version: this key stands twice"):
        read_rule(path, "")


def test_the_only_rule_needs_no_name(tmp_path: Path) -> None:
    """A file with one rule is meant by its path alone."""
    path = tmp_path / "one.yaml"
    path.write_text("folders: [{name: a, watch: b, rules: [{cut: {refine: none}}]}]", encoding="utf-8")
    assert read_rule(path, "").refine == "none"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "folders: 3",
        "a: [",
        "a: &x 1\nb: *x",
        "!!python/object:os.system x",
        "folders: [{name: a, rules: [{cut: {modell: x}}]}]",
        "\x00",
    ],
)
def test_a_file_without_sound_rules_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    """Whatever is wrong with the file, a sentence names it and nothing of it is run."""
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"bad\.yaml"):
        read_rule(path, "")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is told."""
    with pytest.raises(SettingsError, match="gone"):
        read_rule(tmp_path / "gone.yaml", "")


def test_a_suggestion_ends_as_a_question() -> None:
    """What suggests a key has one mark at its end, what does not has a full stop."""
    from mattebox.core.settings.assign import cut_settings

    with pytest.raises(SettingsError, match=r"did you mean quality\?$"):
        cut_settings({"qualiti": "best"})
    with pytest.raises(SettingsError, match=r"[^.]\.$"):
        cut_settings({"quality": "bets"})
