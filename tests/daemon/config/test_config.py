"""A configuration's mistakes are told with file, line and column; nothing wrong gets through."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mattebox.daemon.config.load import json_schema, load_config
from mattebox.daemon.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
version: 1
folders:
  - name: studio
    watch: ./in
    rules:
      - name: all
"""
DELIVER = '        deliver: [{format: png, to: "./out/{stem}.png"}]\n'


def mistakes(tmp_path: Path, text: str | bytes) -> list[str]:
    """The lines that a text gives, without the folder."""
    path = tmp_path / "rules.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return [line.removeprefix(f"{tmp_path}/") for line in caught.value.mistakes]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (HEAD + DELIVER + "        wehn: {}\n", "8:9", "no such key; did you mean when?"),
        (HEAD + DELIVER + "        when: {extention: jpg}\n", "8:16", "did you mean extension?"),
        (HEAD + DELIVER + "        when: {min_width: wide}\n", "8:27", "write a whole number"),
        (HEAD + DELIVER + "        cut: {modle: u2net}\n", "8:15", "did you mean model?"),
        (HEAD + DELIVER + "        cut: {model: u2nett}\n", "8:22", "u2net"),
        (HEAD + '        deliver: [{format: pgn, to: "./o/{stem}.png"}]\n', "7:19", "did you mean png?"),
        (HEAD + '        deliver: [{to: "./o/{stem}.png"}]\n', "7:19", "the key format is missing"),
        (HEAD + "        deliver: [{format: png}]\n", "7:19", "to: this key is missing"),
        (HEAD + '        deliver: [{format: png, to: "./o/{stme}.png"}]\n', "7:37", "did you mean stem?"),
        (HEAD + '        deliver: [{format: png, to: "./o/{tree}/../{stem}"}]\n', "7:37", "may not follow"),
        (HEAD + '        deliver: [{format: png, to: "./in/out/{stem}.png"}]\n', "7:37", "watched folder"),
        (HEAD + DELIVER + "        when: {min_width: 9, max_width: 2}\n", "8:27", "never match"),
        (HEAD + DELIVER + '        when: {extension: "*.jpg"}\n', "8:27", "never match"),
        (HEAD + DELIVER + "        when: {not: {}}\n", "8:16", "never match"),
        (HEAD + DELIVER + '        when: {name_regex: "("}\n', "8:28", "regular expression"),
        (
            HEAD + DELIVER + "        cut: {subject: [1, 2, 3]}\n",
            "8:24",
            "write auto, largest, centre, a box [",
        ),
        (HEAD + DELIVER + "        cut: {subject: [-1, 2, 3, 4]}\n", "8:24", "in pixels from 0 on"),
        (HEAD + DELIVER + "        when: {path: ../x/*}\n", "8:22", "leaves the watched folder"),
        (HEAD + DELIVER + "      - name: late\n" + DELIVER, "8:9", "can never match: all before it"),
        (HEAD, "6:9", "delivers nothing"),
        (HEAD + DELIVER + "    settle: soon\n", "8:13", "write a duration"),
        (HEAD + DELIVER + "    watch: ./two\n", "8:5", "stands twice (first in line 4)"),
        (HEAD + DELIVER + "    done: ./in\n", "8:11", "the watched folder itself"),
        (HEAD + DELIVER + "engine: {memory: lots}\n", "8:18", "write auto, none or a size"),
        (HEAD + DELIVER + "engine: {memory: 10MB}\n", "8:18", "cannot begin with less than 1.5 GB"),
        (HEAD + DELIVER + "defaults: {setle: 1s}\n", "8:12", "did you mean settle?"),
        (HEAD + DELIVER + "defaults: {settle: soon}\n", "8:20", "write a duration"),
        (HEAD + DELIVER + "defaults: {done: ./in}\n", "3:5", "the watched folder itself"),
        ("version: 2\nfolders: []\n", "1:10", "version"),
        ("version: 1\nfolders: 2020-99-99\n", "2:10", "2020-99-99 looks like a date"),
        ("version: 1\n2020-99-99: x\n", "2:1", "looks like a date"),
        (f"version: 1\nfolders: {'9' * 20_000}\n", "2:10", "looks like a number"),
        (f"version: 1\nfolders: 0x{'f' * 20_000}\n", "2:10", "write a list"),
        (HEAD + DELIVER + 'state: "a\\0b"\n', "8:8", "NUL"),
        (HEAD + DELIVER + 'defaults: {deliver: [{format: png, to: "a\\0/{stem}.png"}]}\n', "8:40", "NUL"),
        (HEAD + DELIVER + 'state: "C:\\Users\\me"\n', "8:13", "use single quotes"),
        (
            HEAD + DELIVER + "engine: {workers: -1}\n",
            "8:19",
            "write auto or dask or write at least 1",
        ),
        (HEAD + DELIVER + "defaults: {deliver: [png]}\n", "8:22", "write a list of outputs, such as"),
        (HEAD + DELIVER + "defaults: {deliver: png}\n", "8:21", "write a list of outputs, such as"),
        (HEAD + DELIVER + "defaults: {review: {below: 60}}\n", "8:28", "write at most 1; for 60 % write 0.6"),
        (HEAD + DELIVER + "defaults: {cut: {keep: '1000px'}}\n", "8:24", "without a unit (given: '1000px')"),
        (
            HEAD + DELIVER + "defaults: {deliver: [{format: png, to: x.JPG}]}\n",
            "8:40",
            "the ending says jpeg and format says png",
        ),
        (
            HEAD + DELIVER + "        review: {warnings: [touches_fram]}\n",
            "8:29",
            "there is no warning 'touches_fram'; did you mean touches_frame?",
        ),
        (
            HEAD + DELIVER + "        label: {sure: red, warnings: blurry}\n",
            "8:38",
            "there is no warning 'blurry'",
        ),
        (
            HEAD + DELIVER + "defaults: {review: {warnings: ['*', haze]}}\n",
            "8:37",
            "there is no warning 'haze'",
        ),
        (HEAD + DELIVER + "    companions: 3\n", "8:17", "write true, false or endings of companions"),
        (HEAD + DELIVER + "    companions: [xmp, 3]\n", "8:17", "(given: 3)"),
        ("version: &a 1\nfolders: *a\n", "2:10", "aliases"),
        ("version: [1\n", "2:1", ""),
        ("- 1\n", "1:1", "a configuration is a mapping"),
        (b"version: 1\n# \xff\n", "2:1", "not UTF-8"),
        ("# " + "x" * 1_000_000, "1:1", "larger than"),
        ("[" * 200 + "]" * 200, "1:52", "nested too deeply"),
    ],
)
def test_each_mistake_is_placed(tmp_path: Path, text: str | bytes, place: str, words: str) -> None:
    """The line is FILE:LINE:COLUMN: and a sentence that names what would be right."""
    lines = mistakes(tmp_path, text)
    assert lines[0].startswith(f"rules.yaml:{place}"), lines
    assert words in lines[0]


FILES = """\
        cut:
          backdrop: empty.jpg
          prompts: {from_matte: mattes/rough.png}
        finish: {background: {image: sweep.png}}
"""


def test_check_looks_for_the_files_that_settings_name(tmp_path: Path) -> None:
    """A daemon that starts does not: the share that they lie on may be mounted after it."""
    lit = "defaults: {cut: {backdrop: {lit: './lit/{stem}_b.jpg'}}}\n"
    path = tmp_path / "rules.yaml"
    path.write_text(HEAD + DELIVER + FILES + lit, encoding="utf-8")
    loaded = load_config(path)
    with pytest.raises(ConfigError) as caught:
        load_config(path, files=True)
    assert [line.removeprefix(f"{tmp_path}/") for line in caught.value.mistakes] == [
        f"rules.yaml:9:21: {tmp_path}/empty.jpg: there is no such file",
        f"rules.yaml:10:33: {tmp_path}/mattes/rough.png: there is no such file",
        f"rules.yaml:11:38: {tmp_path}/sweep.png: there is no such file",
        f"rules.yaml:12:34: {tmp_path}/lit: there is no such folder",
    ]
    for name in ("empty.jpg", "mattes/rough.png", "sweep.png", "lit/any.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert load_config(path, files=True) == loaded


def test_two_folders_may_not_watch_the_same_place(tmp_path: Path) -> None:
    """A folder inside another that is watched with its sub-folders is refused."""
    second = HEAD.removeprefix("version: 1\nfolders:\n").replace("studio", "second")
    text = HEAD + DELIVER + second.replace("./in", "./in/deeper") + DELIVER
    assert "watch the same place" in mistakes(tmp_path, text)[0]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """A file with three mistakes gives three lines in the order of the file."""
    text = HEAD + DELIVER + "        a: 1\n        b: 2\n        c: 3\n"
    assert [line.split(": ")[0] for line in mistakes(tmp_path, text)] == [
        "rules.yaml:8:9",
        "rules.yaml:9:9",
        "rules.yaml:10:9",
    ]


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """There is no line to name in a file that cannot be read."""
    with pytest.raises(ConfigError, match=r"none\.yaml: the configuration cannot be read \(No such file"):
        load_config(tmp_path / "none.yaml")


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    """The folder of the file, not the folder of the caller, is where paths start."""
    path = tmp_path / "rules.yaml"
    path.write_text(HEAD + DELIVER, encoding="utf-8")
    loaded = load_config(path)
    assert loaded.config.folders[0].watch == tmp_path / "in"
    assert loaded.config.folders[0].done == tmp_path / "done"


def test_the_schema_knows_conditions_and_formats() -> None:
    """The JSON Schema lists the keys of `when`, of each format, and is plain JSON."""
    schema = json.loads(json.dumps(json_schema()))
    when = schema["$defs"]["When"]["properties"]
    assert {"extension", "min_width", "exif", "any", "all", "not"} <= set(when)
    assert "to" in schema["$defs"]["DeliverPngOutput"]["required"]
    assert schema["properties"]["folders"]["minItems"] == 1


def test_a_thousand_wrong_keys_are_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema that names the right keys is made once, however many keys are wrong."""
    from mattebox.daemon.config import load

    made = []
    schema = load.Config.model_json_schema

    def counted(*arguments: Any, **options: Any) -> Any:
        made.append(1)
        return schema(*arguments, **options)

    load._schema.cache_clear()
    load._known_keys.cache_clear()
    monkeypatch.setattr(load.Config, "model_json_schema", counted)
    lines = mistakes(tmp_path, HEAD + DELIVER + "".join(f"k{number}: 1\n" for number in range(1000)))
    assert len(lines) == 1000
    assert len(made) == 1
