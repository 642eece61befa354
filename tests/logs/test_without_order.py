"""Lists of systems, conditions and utterances: numbers whose order is nobody's training, in every format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cmgan_audit.finding import Severity
from cmgan_audit.logs.judging import Judgement, judge
from cmgan_audit.logs.roles import RoleBook, parse_role
from cmgan_audit.logs.search import Search, read_logs
from cmgan_audit.logs.selection.judged import Question
from cmgan_audit.rules.catalogue import load_catalogue

CATALOGUE = load_catalogue()
EVERY = frozenset(rule.id for rule in CATALOGUE if rule.door == "trend")
SYSTEMS = {"Noisy": 1.97, "SEGAN": 2.16, "CMGAN": 3.41, "DEMUCS": 3.07, "Wiener": 2.22}
SCORES = list(SYSTEMS.values())
COURSE = [1.6, 1.8, 1.9, 1.85, 1.7, 1.6, 1.5, 1.4, 1.35, 1.3]
FALLING = [3.4, 3.1, 2.9, 2.7, 2.4, 2.2]


def search(tmp_path: Path, name: str, content: str, role: str = "") -> Search:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return read_logs([path], RoleBook(dict([parse_role(role)]) if role else None))


def look(found: Search) -> Judgement:
    return judge(found.readings, Question(), CATALOGUE, EVERY)


def each(template: str) -> str:
    return "".join(template.format(name=name, score=score) for name, score in SYSTEMS.items())


LISTS = {
    "keys.csv": "key,pesq,stoi\n" + "".join(f"S_56_{i:02},2.{i},0.9\n" for i in (3, 1, 7, 2, 6)),
    "keys.jsonl": "".join(f'{{"key": "S_56_{i:02}", "pesq": 2.{i}}}\n' for i in (3, 1, 7, 2, 6)),
    "ids_above.log": "".join(f"S_56_{i:02}\nPESQ: 2.{i}\n" for i in (3, 7, 1, 2)),
    "ids_beside.log": "".join(f"S_5{i}_03: PESQ 2.{i} STOI 0.9\n" for i in (3, 7, 1, 2)),
    "libri.log": "".join(f"1089-134686-000{i}: PESQ 2.{i}\n" for i in (3, 7, 1, 2)),
    "dns_challenge.log": "".join(f"book_00012_chp_0003_fileid_{i} PESQ 2.{i}\n" for i in (3, 7, 1, 2)),
    "numbered_noisy.log": "".join(f"noisy {i}\nPESQ: 2.{v}\n" for i, v in enumerate((3, 7, 1, 2), start=1)),
    "last_column.csv": "pesq,stoi,system\n" + each("{score},0.9,{name}\n"),
    "numbered_names.csv": "model,pesq\nSEGAN-1,2.16\nDCCRN-2,2.84\nCMGAN-3,3.41\nDEMUCS-4,3.07\nWiener-5,2.22\n",
    "models_and_snrs.csv": "model,snr,pesq\n" + "".join(each(f"{{name}},{snr},{{score}}\n") for snr in (0, 5)),
    "snrs.csv": "snr,pesq\n20,3.0\n15,2.75\n10,2.5\n5,2.25\n0,2.0\n",
    "noises.csv": "noise_type,pesq\nbabble,2.9\ncafe,2.6\nbabble,2.4\ncafe,2.2\n",
    "utterances.csv": "uttid,pesq\n" + "".join(f"{i:05d},{score}\n" for i, score in enumerate(SCORES)),
    "sentences.csv": "snt_id,sdr,sdr_i,si-snr,si-snr_i\n"
    + "".join(f"{i},{8 * v},{8 * v - 1},{8 * v},{8 * v}\n" for i, v in enumerate(SCORES))
    + "avg,20.7,19.7,20.7,20.7\n",
    "numbered_speakers.csv": "speaker,pesq\n" + "".join(f"p22{i},{v}\n" for i, v in enumerate(FALLING)),
    "numbers_of_speakers.csv": "speaker_id,pesq\n" + "".join(f"{226 + i},{v}\n" for i, v in enumerate(FALLING)),
    "rooms.csv": "room,pesq\n" + "".join(f"room{i},{v}\n" for i, v in enumerate(FALLING)),
    "speakers.json": json.dumps([{"speaker": f"p22{i}", "pesq": v} for i, v in enumerate(FALLING)]),
    "samples.csv": "Sample Index,PESQ\n" + "".join(f"{i},{v}\n" for i, v in enumerate(SCORES)),
    "sentences.json": json.dumps([{"snt_id": i, "si-snr": 8 * v} for i, v in enumerate(SCORES)]),
    "wavfiles.csv": "wavfile,pesq\n"
    + "".join(f"amp_h{i // 3}_{i % 3},{score}\n" for i, score in enumerate([*SCORES, *SCORES, *SCORES])),
    "files.csv": "File,PESQ Noisy,PESQ Enhanced\n"
    + "".join(f"SPEAKER_{i // 3}_{i % 2},1.2,{score}\n" for i, score in enumerate([*SCORES, *SCORES, *SCORES]))
    + "\nAverage,1.2,2.5\n",
    "tracks.csv": ",track_id,stem,sdr\n"
    + "".join(f"{i},7f-{i % 5},{'drums' if i < 5 else 'bass'},{v}\n" for i, v in enumerate([*SCORES, *SCORES])),
    "numbered_tracks.json": json.dumps([{"track": i % 5, "sdr": v} for i, v in enumerate([*SCORES, *SCORES])]),
    "long.csv": "cell,metric,value\n" + each("{name},pesq,{score}\n{name},stoi,0.9\n"),
    "blocks.log": each("Testing {name}\nPESQ: {score}\nSTOI: 0.93\n"),
    "best_of_each.log": each("Loading the best checkpoint of {name}\nPESQ: {score}\n"),
    "lines.log": each("{name:<10} PESQ: {score}  STOI: 0.93\n"),
    "two_sets.txt": "Set A\n"
    + each("{name} (last.pt)\npesq = {score}\n")
    + "Set B\n"
    + each("{name} (x.pt)\npesq = {score}\n"),
    "recordings.log": "".join(f"Processing p232_{i:03d}.wav\nPESQ: {v}\nSTOI: 0.9\n" for i, v in enumerate(FALLING)),
    "utterances.log": "".join(f"Utterance {i}:\n  PESQ = {v}\n" for i, v in enumerate(FALLING)),
    "samples.log": "".join(f"--- sample {i} ---\nPESQ: {v}\n" for i, v in enumerate(FALLING)),
    "fileids.log": "".join(f"utt_id: fileid_{i}\npesq: {v}\n" for i, v in enumerate(FALLING)),
    "names.log": "".join(f"File: noisy_{i}\nPESQ: {v}\n" for i, v in enumerate(FALLING)),
    "counted.log": "".join(f"== audio number {i} ==\nPESQ: {v}\n" for i, v in enumerate(FALLING)),
    "stems.log": "".join(f"-- p232_{i:03d}\nPESQ: {v}\n" for i, v in enumerate(FALLING)),
    "decibels.log": "".join(f"{snr} dB: PESQ {2 + snr / 20}\n" for snr in (20, 15, 10, 5, 0, -5)),
    "headings.log": "".join(
        f"=== {snr} dB ===\nSignal  PESQ  STOI\nnoisy  1.9  0.8\nenhanced  {2 + snr / 20}  0.9\n"
        for snr in (17.5, 12.5, 7.5, 2.5)
    ),
    "mixtures.log": "".join(f"SNR {snr} dB: PESQ {2 + snr / 20}\n" for snr in (20, 15, 10, 5, 0)),
    "ids.log": "".join(f"p232_{i:03d} PESQ: {score}\n" for i, score in enumerate(SCORES)),
    "speakers.log": "".join(f"Results for p{226 + i}\n  PESQ: {score}\n" for i, score in enumerate(SCORES)),
    "runs.log": "".join(
        f"train.py dpcrn_grl202406{i + 11}_10270{i}  63.07\ntrain.py done\ntrain.py PESQ:{score}\n"
        for i, score in enumerate(SCORES)
    ),
    "numbered.log": "".join(f"Speaker {i}:\nPESQ = {score}\n" for i, score in enumerate(SCORES)),
    "files.log": "".join(f"File {i}: PESQ = {score}\n" for i, score in enumerate(SCORES)),
    "records.json": json.dumps([{"model": name, "pesq": score} for name, score in SYSTEMS.items()]),
    "records.jsonl": each('{{"pesq": {score}, "method": "{name}"}}\n'),
    "columns.json": json.dumps({"models": list(SYSTEMS), "pesq": SCORES}),
    "snrs.json": json.dumps({"snr": [20, 15, 10, 5, 0], "pesq": SCORES}),
    "keys.json": json.dumps({name: {"pesq": score} for name, score in SYSTEMS.items()}),
    "report.md": "# Results\n\n| Rank | Name | PESQ |\n|---|---|---|\n"
    + "".join(f"| {place} | {score:.1f} dB | {score} |\n" for place, score in enumerate(SCORES, start=1)),
    "prose.md": each("The PESQ of one of them is PESQ: {score}, as said.\n\n"),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_not_judged_and_the_reason_is_said(tmp_path: Path, name: str) -> None:
    found = search(tmp_path, name, LISTS[name])
    judgement = look(found)
    assert judgement.judged == [], [one.series.name for one in judgement.judged]
    assert judgement.findings == []
    assert found.notes


TRAININGS = {
    "no_words.log": "".join(f"val loss {0.3 - i / 100:.2f} pesq {v}\n" for i, v in enumerate(SCORES)),
    "messages.log": "".join(
        f"pesq {v}\n{'New best model saved' if i % 3 else 'No improvement, patience goes down'}\n"
        for i, v in enumerate([*SCORES, *SCORES])
    ),
    "checkpoints.csv": "checkpoint,pesq\n"
    + "".join(f"ckpt/epoch_{i}.pth,{v}\n" for i, v in enumerate(SCORES, start=1)),
    "best_too.csv": "model,pesq\nepoch_1,2.1\nepoch_2,2.2\nepoch_3,2.3\nbest,2.3\n",
    "names_that_count.log": "".join(f"snap_{i}_{i}00: PESQ {v}\n" for i, v in enumerate(COURSE, start=1)),
    "names_above_that_count.log": "".join(f"nov_27_18_{i:02}\nPESQ: {v}\n" for i, v in enumerate(COURSE, start=1)),
    "few_that_count.log": "".join(f"G_{i}_{i}00: PESQ {v}\n" for i, v in enumerate(SCORES, start=1)),
    "keys_that_count.csv": "key,pesq\n" + "".join(f"epoch_{i},{v}\n" for i, v in enumerate(SCORES, start=1)),
    "keys_of_checkpoints.csv": "key,pesq\n" + "".join(f"ckpt{i}.pt,{v}\n" for i, v in enumerate(SCORES, start=1)),
    "keys_of_days.csv": "key,pesq\n" + "".join(f"2024-01-0{i},{v}\n" for i, v in enumerate(SCORES, start=1)),
    "keys_that_count.jsonl": "".join(f'{{"key": "step_{i}00", "pesq": {v}}}\n' for i, v in enumerate(SCORES, start=1)),
    "dates.csv": "date,pesq\n" + "".join(f"2024-01-0{i} 10:00,{v}\n" for i, v in enumerate(SCORES, start=1)),
    "flags.csv": "loss,pesq,saved\n" + "".join(f"0.{i},{v},{'yes' if i % 2 else 'no'}\n" for i, v in enumerate(SCORES)),
    "runs.csv": "epoch,model,pesq\n" + "".join(f"{i},{n},{v}\n" for i, (n, v) in enumerate(SYSTEMS.items(), start=1)),
    "stamps.jsonl": "".join(
        json.dumps({"time": f"2024-01-01T0{i}:00", "checkpoint": f"epoch={i}-loss=0.{i}1.ckpt", "pesq": v}) + "\n"
        for i, v in enumerate(SCORES)
    ),
    "scores_of_noise.log": "".join(f"snr: {9 + i}.3, noise: {i}.2, pesq {v}\n" for i, v in enumerate(SCORES)),
    "one_run.log": "".join(
        f"Loading exp/dpcrn_20240611_102700/{i}000.pth\nPESQ: {v}\n" for i, v in enumerate(SCORES, start=1)
    ),
    "drawn_gains.log": "".join(f"gain {5 * i} dB, train loss 0.{9 - i}\nPESQ: {v}\n" for i, v in enumerate(SCORES)),
    "examples.log": "".join(f"saved example_{i}.wav\npesq {v}\n" for i, v in enumerate(SCORES)),
    "short_names.csv": "model,pesq\n" + "".join(f"e{i},{v}\n" for i, v in enumerate(SCORES)),
    "seen.log": "".join(f"step sample {i}\nPESQ: {v}\n" for i, v in enumerate(SCORES)),
    "sample_and_loss.log": "".join(f"sample {i}000\nloss {1 / (i + 1):.4f}\nPESQ: {v}\n" for i, v in enumerate(SCORES)),
    "played.log": "".join(f"train loss 0.3\nplaying audio_{i}.wav\nPESQ: {v}\n" for i, v in enumerate(SCORES)),
    "many_losses.log": "".join(f"loss 0.{i}3\nloss 0.{i}5\nitem {i}\nPESQ: {v}\n" for i, v in enumerate(SCORES)),
    "seen.csv": "sample_idx,train_loss,pesq\n" + "".join(f"{i}000,0.3,{v}\n" for i, v in enumerate(SCORES)),
    "seen.jsonl": "".join(json.dumps({"item index": i, "lr": 1e-4, "pesq": v}) + "\n" for i, v in enumerate(SCORES)),
    "in_order.log": "".join(f"item {i}\nPESQ: {v}\n" for i, v in enumerate([*sorted(SCORES), *FALLING])),
    "slashes.csv": "when,pesq\n" + "".join(f"2024/0{i}/17,{v}\n" for i, v in enumerate(SCORES, start=1)),
    "units.csv": "memory,pesq\n" + "".join(f"10.{i}GB,{v}\n" for i, v in enumerate(SCORES, start=1)),
    "remaining.jsonl": "".join(
        json.dumps({"eta": f"{5 - i} days, {i} hours", "pesq": v}) + "\n" for i, v in enumerate(SCORES)
    ),
    "samples.log": "".join(
        f"heard: {word} spoken by a person\nenhancing\nwriting audio\nwriting spectrogram\nscoring\npesq {v}\n"
        for word, v in zip(("one", "other", "again", "thing", "house"), SCORES, strict=True)
    ),
    "history.json": json.dumps({"pesq": SCORES, "config": {"layers": ["a", "b"]}}),
    "callbacks.json": json.dumps({"pesq": SCORES, "callbacks": ["EarlyStopping", "ModelCheckpoint"]}),
    "few.log": "Reading the data\npesq 2.1\nNew best, saving the model\npesq 2.2\nNo improvement\npesq 2.15\n",
    "remarks.jsonl": "".join(
        json.dumps({"msg": text, "pesq": v}) + "\n"
        for text, v in zip(("First evaluation", "Up", "Down again", "Rate halved", "End"), SCORES, strict=True)
    ),
    "comments.csv": "comment,pesq\nfirst try,2.0\nlr halved,2.1\nmore data,2.2\nbigger batch,2.0\n",
}


@pytest.mark.parametrize("name", TRAININGS)
def test_trainings_with_words_beside_them_are_judged(tmp_path: Path, name: str) -> None:
    judgement = look(search(tmp_path, name, TRAININGS[name]))
    assert {one.series.role.measure for one in judgement.judged} == {"pesq"}
    assert len(judgement.judged[0].series) >= 3


def test_a_role_that_was_given_is_kept(tmp_path: Path) -> None:
    found = search(tmp_path, "blocks.log", LISTS["blocks.log"], "PESQ=metric")
    assert [one.series.name for one in look(found).judged] == ["PESQ"]


def test_scores_of_single_utterances_in_a_column_leave_it_undecided(tmp_path: Path) -> None:
    scores = [1.4, 3.1, 2.2, 3.6, 1.2, 2.9, 1.9, 3.3, 1.6, 2.7, 3.8, 1.3]
    judgement = look(search(tmp_path, "scores.json", json.dumps({"pesq": scores})))
    assert judgement.verdict(Severity.ERROR) == "undecided"


def test_scores_under_names_stand_beside_those_of_a_training(tmp_path: Path) -> None:
    """Two tables of one log: what is named in one says nothing about the other."""
    training = "".join(f"evaluation: stoi {0.9 + i / 100:.2f}\n" for i in range(6))
    found = search(tmp_path, "both.log", training + LISTS["blocks.log"].replace("STOI", "speed"))
    assert {one.series.role.measure for one in look(found).judged} == {"stoi"}
    assert any(note.of_a_list for reading in found.readings for note in reading.notes)


def test_recordings_may_have_losses_of_their_own(tmp_path: Path) -> None:
    lines = [f"Sample {i}\nloss: {(5 - v) / 10:.3f}\nPESQ: {v}\n" for i, v in enumerate([*SCORES, *SCORES])]
    found = search(tmp_path, "test.log", "".join(lines))
    assert look(found).judged == []
    assert any(note.of_a_list for reading in found.readings for note in reading.notes)
