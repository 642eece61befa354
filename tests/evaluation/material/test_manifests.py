"""Lists and tables of recordings, in the forms that training repositories keep."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cmgan_audit.errors import InputError
from cmgan_audit.evaluation.material.manifests import read_list, read_table
from cmgan_audit.evaluation.material.sides import match_sides, sides_of
from tests.evaluation.helpers import compared

NAMES = ("ada_001", "ben_001", "cleo_001")


def table_forms(root: Path) -> dict[str, str]:
    rows = [(name, f"{root}/noisy/{name}.wav", f"{root}/clean/{name}.wav") for name in NAMES]
    return {
        "a.csv": "ID,noise_wav,noisy_wav,clean_wav\n" + "".join(f"{i},/x/{i}.wav,{n},{c}\n" for i, n, c in rows),
        "b.tsv": "noisy\tclean\n" + "".join(f"{n}\t{c}\n" for _, n, c in rows),
        "c.csv": "noisy,clean\n" + "".join(f"noisy/{i}.wav,clean/{i}.wav\n" for i, _, _ in rows),
        "d.json": json.dumps(
            {i: {"noisy_wav": "{data_root}/noisy/" + i + ".wav", "clean_wav": c, "length": 2.0} for i, _, c in rows}
        ),
        "e.jsonl": "".join(json.dumps({"mix_path": n, "clean_path": c}) + "\n" for _, n, c in rows),
        "f.json": json.dumps([{"noisy": "$root/noisy/" + i + ".wav", "target": c} for i, _, c in rows]),
    }


@pytest.mark.parametrize("form", list(table_forms(Path())))
def test_a_table_names_pairs(small_set: Path, form: str) -> None:
    place = small_set / form
    place.write_text(table_forms(small_set)[form])
    pairs = read_table(place).pairs
    assert pairs == {name: (small_set / "clean" / f"{name}.wav", small_set / "noisy" / f"{name}.wav") for name in NAMES}
    assert sides_of(place) == (place, place)


def list_forms(root: Path, side: str) -> dict[str, str]:
    paths = [f"{root}/{side}/{name}.wav" for name in NAMES]
    return {
        "wav.scp": "".join(f"{name} {path}\n" for name, path in zip(NAMES, paths, strict=True)),
        "list.txt": "\n".join(paths) + "\n",
        "below.txt": "".join(f"{side}/{name}.wav\n" for name in NAMES),
        "a.json": json.dumps([[path, 32000] for path in paths]),
        "b.json": json.dumps(dict(zip(NAMES, paths, strict=True))),
        "c.csv": "path,length\n" + "".join(f"{path},32000\n" for path in paths),
    }


@pytest.mark.parametrize("form", list(list_forms(Path(), "clean")))
def test_a_list_names_one_side(small_set: Path, form: str) -> None:
    for side in ("clean", "noisy"):
        (small_set / f"{side}_{form}").write_text(list_forms(small_set, side)[form])
    found = match_sides(small_set / f"clean_{form}", small_set / f"noisy_{form}")
    assert {name: path.name for name, (path, _) in found.pairs.items()} == {name: f"{name}.wav" for name in NAMES}
    # a list goes with a folder as well
    assert len(match_sides(small_set / "clean", small_set / f"noisy_{form}").pairs) == 3


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "a,b\n1,2\n", "names no recordings"),
        ("a.csv", "one,two\nx.wav,y.wav\n", "no telling which column holds the clean recordings: one, two"),
        ("a.csv", "clean_a,clean_b,noisy\nx.wav,y.wav,z.wav\n", "no telling which column holds the clean recordings"),
        ("a.csv", "noisy,clean\nx.wav,y.wav\nx.wav,y.wav\n", "x stands in it twice"),
        ("a.json", "{", "not readable as JSON"),
        ("a.json", "[1, 2]", "names no recordings"),
        ("a.json", "3", "names no recordings"),
        ("a.csv", "id,noisy_clean\n1,x.wav\n", "one column, noisy_clean, for both sides"),
    ],
)
def test_a_table_that_leaves_it_open(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=said):
        read_table(tmp_path / name)


def test_a_recording_that_is_not_where_the_list_says_costs_its_pair(small_set: Path) -> None:
    (small_set / "t.csv").write_text(table_forms(small_set)["a.csv"] + "eve,/x.wav,/y.wav,/z.wav\n")
    result = compared(small_set, small_set / "noisy", clean=small_set / "t.csv", noisy=small_set / "t.csv")
    (finding,) = [one for one in result.findings if one.rule == "CMG712"]
    assert "1 not usable (/z.wav: " in finding.message and len(result.utterances) == 3
    assert "pairs are those of t.csv" in result.notes


@pytest.mark.parametrize(
    ("form", "more"),
    [
        ("a.csv", "eve,/n.wav,/x/eve.wav,\n"),
        ("a.csv", "eve,/n.wav,/x/eve.wav\n"),
        ("e.jsonl", '{"mix_path": "/x/eve.wav"}\n'),
    ],
)
def test_an_entry_with_one_side_is_told(small_set: Path, form: str, more: str) -> None:
    (small_set / form).write_text(table_forms(small_set)[form] + more)
    found = match_sides(small_set / form, small_set / form)
    assert (sorted(found.pairs), found.only_clean, found.only_noisy) == (sorted(NAMES), (), ("eve",))


def test_a_path_with_spaces_is_one_path(small_set: Path) -> None:
    (small_set / "of the noisy").symlink_to(small_set / "noisy")
    (small_set / "whole.txt").write_text("".join(f"{small_set}/of the noisy/{name}.wav\n" for name in NAMES))
    assert sorted(read_list(small_set / "whole.txt", "noisy")) == sorted(NAMES)


def test_a_broken_list_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"a\.txt: not readable as a list of recordings"):
        read_list(tmp_path / "a.txt", "clean")
