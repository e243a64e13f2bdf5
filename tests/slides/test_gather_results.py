"""Which result a slide shows: one's own before what was recorded, and what cannot be read."""

import dataclasses
import json
import os

import pytest
from made_slides import MADE, own_study

from fpdrift.experiments import Settings, study
from fpdrift.recorded import load_recorded
from fpdrift.slides import gather, own_results

ORDER, _, FIVE, STUDY = MADE


def saved(folder, name, result, age=0):
    path = folder / name
    path.write_text(result.to_json(), encoding="utf-8")
    os.utime(path, (10**9 - age, 10**9 - age))
    return path


def test_what_is_nowhere_is_left_out():
    slides = gather(MADE)
    assert [slide.card.name for slide in slides] == ["order", "chain", "five-runs"]
    assert [slide.place for slide in slides] == ["exact", "exact", "recorded"]
    assert slides[2].origin == (
        "Recorded: 2 cores of AMD EPYC, Linux x86_64, OPENBLAS_CORETYPE=Haswell"
    )


def test_own_results_are_known_by_kind_and_name(tmp_path):
    saved(tmp_path, "anything.json", load_recorded("five-runs"))
    saved(tmp_path, "of-another-study.json", own_study(name="another"))
    saved(tmp_path, "numbers.json", own_study())
    saved(tmp_path, "order.json", study("order").run(Settings()))
    own, broken = own_results(MADE, tmp_path)
    assert sorted(own) == ["a-study", "five-runs"]
    assert own["a-study"].name == "a-study"
    assert broken == {}
    assert [slide.place for slide in gather(MADE, own)] == ["exact", "exact", "own", "own"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cpu": "Intel(R) Xeon(R) CPU @ 2.60GHz", "cores": 1}, "1 core of Intel Xeon @ 2.60GHz"),
        ({"cpu": "12th Gen Intel(R) Core(TM) i7", "cores": 8}, "8 cores of 12th Gen Intel Core i7"),
        ({"cpu": "another", "device": "NVIDIA A100"}, "NVIDIA A100"),
    ],
)
def test_a_foot_names_the_machine_in_short(changes, said):
    result = own_study()
    its = dataclasses.replace(result.provenance, system="Linux x86_64", **changes)
    object.__setattr__(result, "_provenance", its)
    origin = gather([STUDY], {"a-study": result})[0].origin
    assert origin == f"Own result: {said}" + ("" if "device" in changes else ", Linux x86_64")


def test_the_newest_is_taken_and_the_full_one_before_it(tmp_path):
    saved(tmp_path, "a.json", own_study(seed=1), age=1)
    saved(tmp_path, "b.json", own_study(seed=2), age=2)
    assert own_results([STUDY], tmp_path)[0]["a-study"].seed == 1
    saved(tmp_path, "c.json", own_study(seed=3, size="full"), age=3)
    assert own_results([STUDY], tmp_path)[0]["a-study"].seed == 3


def half(text):
    return text[: len(text) // 2]


def strange(text):
    document = json.loads(text)
    document["result"]["distances"] = ["no distance"]
    return json.dumps(document)


@pytest.mark.parametrize("change", [half, strange, "{}", ""])
def test_a_broken_file_is_named_and_the_others_are_read(change, tmp_path):
    text = change if isinstance(change, str) else change(own_study().to_json())
    (tmp_path / "broken.json").write_text(text, encoding="utf-8")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "dangling.json").symlink_to(tmp_path / "nowhere")
    saved(tmp_path, "whole.json", own_study(seed=7), age=5)
    own, broken = own_results([STUDY], tmp_path)
    assert own["a-study"].seed == 7
    assert [path.name for path in broken] == ["broken.json"]
    assert "\n" not in broken[tmp_path / "broken.json"]


def test_a_result_that_nobody_asks_for_is_no_fault(tmp_path):
    saved(tmp_path, "whole.json", own_study())
    assert own_results([FIVE], tmp_path) == ({}, {})
    assert own_results(MADE, tmp_path / "not there") == ({}, {})
