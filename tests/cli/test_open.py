"""`fourm-tui open`: from a file to the run that made it, and to the command that makes it again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fourm_tui.chain.inputs import Inputs
from fourm_tui.chain.recorded import schedule_of
from fourm_tui.cli import main, make_parser
from fourm_tui.cli.inputs import inputs_for
from fourm_tui.cli.open_again import in_a_shell
from fourm_tui.engine.keep import facts_of
from fourm_tui.pictures.png import png_bytes, read_facts
from fourm_tui.runs import ModelRecord, ParentRecord, Run, SettingsText, condition_record, effective_seed, fingerprint
from tests.cli.kept_runs import CAPTION, SETTINGS, kept_run, record, settings_file
from tests.test_imports import modules_after

FIRST, SECOND = 7, effective_seed(7, 0, 1)


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return settings_file(tmp_path)


@pytest.fixture
def run(settings: Path) -> Run:
    return kept_run(Path("runs"), record(settings, 2))


def opened(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    assert main(["open", *map(str, words), "--json"]) == 0
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    return data


def shown(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["open", *map(str, words)]) == 0
    return capsys.readouterr().out


def inputs_of(command: list[str]) -> Inputs:
    """What the program makes of a command."""
    assert command[:2] == ["fourm-tui", "run"]
    return inputs_for(make_parser().parse_args(command[1:]))


# -- what is meant ----------------------------------------------------------------------------------------------


def test_a_run_is_found_in_every_way_it_can_be_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("latest", run.name, run.name[:17], run.folder, run.folder / "run.json", run.folder / "samples")
    for name in names:
        data = opened(capsys, name)
        assert (data["run"], data["output"], data["seeds"]) == (run.name, None, [FIRST, SECOND])


@pytest.mark.parametrize("suffix", [".png", ".safetensors"])
def test_a_file_of_a_run_leads_to_it_and_to_its_sample(
    suffix: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    data = opened(capsys, run.path_for(2, "tok_rgb@224", 1, suffix))
    assert data["run"] == run.name
    assert (data["output"]["row"], data["output"]["target"]) == (2, "tok_rgb@224")
    assert data["output"]["seed"] == SECOND
    assert data["seeds"] == [SECOND]


def test_a_file_of_the_whole_run_has_all_its_seeds(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("contact.png", "events.jsonl"):
        (run.folder / "events.jsonl").touch()
        assert opened(capsys, run.folder / name)["seeds"] == [FIRST, SECOND]


def test_a_picture_that_was_copied_away_is_found_by_the_name_of_its_run(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(run.path_for(1, "tok_semseg@224", 1, ".png"), "copy.png")
    data = opened(capsys, "copy.png")
    assert (data["run"], data["folder"]) == (run.name, str(run.folder.absolute()))
    assert data["seeds"] == [SECOND]
    assert data["status"] == "done"


def test_a_picture_without_its_run_says_what_it_carries(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(run.path_for(1, "tok_semseg@224", 1, ".png"), "copy.png")
    run.folder.parent.rename("elsewhere")
    data = opened(capsys, "copy.png")
    assert (data["run"], data["folder"], data["seeds"]) == (run.name, None, [SECOND])
    assert data["conditions"][0]["text"] == CAPTION
    assert data["overrides"] == ["decoding_steps.2=2"]
    assert data["settings"][0]["text"] == SETTINGS
    assert [(model["name"], model["state"]) for model in data["models"]] == [("EPFL-VILAB/4M-7_B_CC12M", "unknown")]
    assert data["created"].startswith(run.name[:10])
    assert any("--runs" in note for note in data["notes"])
    assert opened(capsys, "copy.png", "--runs", "elsewhere")["folder"]


def test_a_contact_sheet_alone_knows_seeds_and_options(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.move(run.folder / "contact.png", "sheet.png")
    shutil.rmtree(run.folder)
    data = opened(capsys, "sheet.png")
    assert data["seeds"] == [7, SECOND]
    assert data["options"] == {"seed": 7, "num_variations": 2}
    words = data["commands"][-1]
    assert words[words.index("--seed") :] == ["--seed", "7", "--num-variations", "2"]
    assert not any("seed" in note for note in data["notes"])


@pytest.mark.parametrize("lacking", [True, False])
def test_a_sheet_without_seeds_says_so_and_one_with_nonsense_is_damaged(
    lacking: bool, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = facts_of(run)
    shutil.rmtree(run.folder)
    facts = {name: text for name, text in facts.items() if name != "seeds"} if lacking else {**facts, "seeds": '["x"]'}
    Path("sheet.png").write_bytes(png_bytes(Image.new("RGB", (8, 8)), facts))
    if not lacking:
        assert main(["open", "sheet.png"]) == 2
        assert "its facts are damaged" in capsys.readouterr().err
        return
    data = opened(capsys, "sheet.png")
    assert data["seeds"] == []
    assert "--seed" not in data["commands"][-1]
    assert any("seed" in note for note in data["notes"])


def test_a_run_folder_of_another_name_is_still_that_of_its_pictures(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run.folder.rename("best")
    data = opened(capsys, "best/samples/001/01_tok_semseg@224.png")
    assert (data["run"], data["seeds"]) == ("best", [SECOND])


def test_a_picture_in_the_folder_of_another_run_is_not_taken_for_its_output(
    run: Run, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = kept_run(Path("runs"), record(settings, conditions=(condition_record("caption", text="a cube"),)))
    guest = shutil.copy(run.path_for(1, "tok_semseg@224", 1, ".png"), other.folder)
    assert opened(capsys, guest)["run"] == run.name
    shutil.rmtree(run.folder)
    assert opened(capsys, guest)["conditions"][0]["text"] == CAPTION


def test_a_damaged_picture_in_a_run_folder_is_told_by_its_place(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    path = run.path_for(2, "tok_rgb@224", 1, ".png")
    path.write_bytes(path.read_bytes()[:60])
    data = opened(capsys, path)
    assert (data["seeds"], data["output"]["row"]) == ([SECOND], 2)
    assert any("damaged" in note for note in data["notes"])


def test_facts_outlive_a_damaged_run_folder(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (run.folder / "run.json").write_text("{")
    assert opened(capsys, run.path_for(2, "tok_rgb@224", 1, ".png"))["folder"] is None
    assert main(["open", str(run.path_for(2, "tok_rgb@224", 1, ".safetensors"))]) == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda f: f / "none.png", "there is no such file"),
        (lambda f: "nothing-here", "no such run"),
        (lambda f: "", "no name"),
        (lambda f: "a\0b", "no name"),
        (lambda f: "latest", "no runs yet"),
        (lambda f: "x" * 5000, "no such run"),
        (lambda f: "x\x1b[2J/y.png", r"\x1b[2J"),
        (lambda f: f, "a folder without a run"),
        (lambda f: _written(f / "a.png", b"not a picture"), "is no PNG file"),
        (lambda f: _written(f / "a.png", b""), "is no PNG file"),
        (lambda f: _written(f / "a.jpg", b"\xff\xd8\xff"), "is no PNG file"),
        (lambda f: _written(f / "a.png", _png()[:40]), "damaged"),
        (lambda f: _written(f / "a.png", _png()), "carries no facts"),
        (lambda f: _written(f / "a.png", _png(run="x", settings="{")), "facts are damaged"),
        (lambda f: _written(f / "a.png", _png(run="x", settings='[{"role": 1}]')), "facts are damaged"),
        (lambda f: _written(f / "a.png", _png(run="x", settings="[]", conditions="[1]")), "facts are damaged"),
        (lambda f: _written(f / "a.png", _png(run="x", settings="[" * 100_000)), "facts are damaged"),
        (lambda f: _written(f / "a.safetensors", b"\0" * 20), "do not say which run"),
        (lambda f: _fifo(f / "pipe.png"), "is no file"),
    ],
)
def test_wrong_input_is_one_message(make: Any, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["open", str(make(tmp_path))]) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert len(err.splitlines()) == 1
    assert "\x1b" not in err
    assert out == ""


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _png(**facts: str) -> bytes:
    return png_bytes(Image.new("RGB", (4, 4)), facts)


def _fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def test_no_place_where_a_picture_ends_too_early_is_a_bug(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    whole = (run.folder / "contact.png").read_bytes()
    shutil.rmtree("runs")
    for end in range(0, len(whole), 37):
        Path("torn.png").write_bytes(whole[:end])
        assert main(["open", "torn.png"]) in (0, 2)
        assert len(capsys.readouterr().err.splitlines()) <= 1


# -- what is said -----------------------------------------------------------------------------------------------


def test_everything_about_a_run_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "latest")
    said = (
        run.name, "done", "1.5 s", CAPTION, "1 tok_semseg@224 → 2 tok_rgb@224", "EPFL-VILAB/4M-7_B_CC12M",
        f"{FIRST}, {SECOND}", "decoding_steps.2=2", SETTINGS.rstrip(), "fourm-tui run ",
    )  # fmt: skip
    places = [out.index(each) for each in said]
    assert places[0] == 0
    assert places[-2:] == sorted(places)[-2:]  # the settings, then the command
    facts = out[: out.index("# from a caption")].splitlines()
    assert max(map(len, facts[:-2])) <= 80


def test_no_control_character_reaches_the_terminal(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = "a\x1b[31m\x07\x9b31m\u202e b"
    made = replace(
        record(settings),
        conditions=(condition_record("caption", text=bad),),
        models={"model": ModelRecord(bad, bad, f"/tmp/{bad}")},
        settings=(SettingsText("settings", SETTINGS + f"# {bad!r} \u202e\n", f"/{bad}.yaml"),),
        overrides=(f"name={bad}",),
        options={bad: bad},
        parent=ParentRecord(bad, "/", 2),
        version=bad,
    )
    run = kept_run(Path("runs"), made)
    shutil.copy(run.path_for(1, "tok_semseg@224", 0, ".png"), "copy.png")
    texts = [shown(capsys, "latest")]
    shutil.rmtree("runs")
    texts.append(shown(capsys, "copy.png"))
    for text in texts:
        assert not set("\x1b\x07\x9b\u202e") & set(text)
        assert r"\x1b[31m" in text


def test_files_of_conditions_are_compared_with_what_they_were(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, mask = _written(Path("photo.png"), _png()), _written(Path("mask.png"), _png(a="b"))
    given = condition_record("tok_rgb@224", path=photo, mask=mask, options={"fit": "pad"})
    kept_run(Path("runs"), record(settings, conditions=(given,)))

    def states() -> list[str]:
        return [file["state"] for file in opened(capsys, "latest")["conditions"][0]["files"]]

    assert states() == ["same", "same"]
    argument = f"tok_rgb@224={photo.absolute()},mask={mask.absolute()},fit=pad"
    assert argument in opened(capsys, "latest")["commands"][0]
    photo.write_bytes(b"another")
    mask.unlink()
    assert states() == ["changed", "gone"]
    out = shown(capsys, "latest")
    assert "! changed since the run began" in out
    assert "✗ gone" in out


def test_weights_are_looked_at_as_far_as_that_goes(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path("model")
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    weights = _written(folder / "model.safetensors", b"weights")
    os.utime(weights, (1, 1))
    kept_run(
        Path("runs"), record(settings, models={"model": ModelRecord("model", weights=str(weights.absolute()))})
    )  # fmt: skip
    assert opened(capsys, "latest")["models"][0]["state"] == "there"
    assert "contents were not compared" in shown(capsys, "latest")
    assert opened(capsys, "latest")["commands"][0][3:5] == ["-c", str(folder.absolute())]
    weights.touch()
    os.utime(weights, (2**32, 2**32))
    assert opened(capsys, "latest")["models"][0]["says"] == "written since the run began"
    folder.rename("older")
    assert opened(capsys, "latest")["models"][0]["state"] == "gone"
    assert "gone" in shown(capsys, "latest")


def test_weights_are_known_again_by_their_fingerprint(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("model").mkdir()
    Path("model", "config.json").write_text("{}")
    weights = _written(Path("model", "model.safetensors"), bytes(3_000_000))
    model = ModelRecord("model", weights=str(weights.absolute()), fingerprint=fingerprint(weights))
    kept_run(Path("runs"), record(settings, models={"model": model}))
    assert opened(capsys, "latest")["models"][0]["state"] == "same"
    weights.write_bytes(bytes(2_900_000) + b"x" * 100_000)
    assert opened(capsys, "latest")["models"][0]["says"] == "its contents differ now"


def test_a_name_that_means_another_file_now_is_noticed(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("there/model", "model"):
        Path(name).mkdir(parents=True)
        Path(name, "config.json").write_text("{}")
        _written(Path(name, "model.safetensors"), b"weights")
    then = Path("there/model/model.safetensors").absolute()
    kept_run(Path("runs"), record(settings, models={"model": ModelRecord("model", weights=str(then))}))
    assert "means another file now" in opened(capsys, "latest")["models"][0]["says"]
    assert opened(capsys, "latest")["commands"][0][3:5] == ["-c", str(then.parent)]


def test_what_may_come_out_differently_is_said(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept_run(Path("runs"), record(settings, parent=ParentRecord("a_parent", "/a_parent", 2), version="0.0.1"))
    notes = " ".join(opened(capsys, "latest")["notes"])
    assert "a_parent" in notes
    assert "0.0.1" in notes


# -- the command ------------------------------------------------------------------------------------------------


def test_the_command_makes_the_run_again(run: Run, settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (command,) = opened(capsys, "latest")["commands"]
    assert command == [
        "fourm-tui", "run", str(settings), "-c", "EPFL-VILAB/4M-7_B_CC12M", "-i", f"caption={CAPTION}",
        "--set", "decoding_steps.2=2", "--seed", "7", "--num-variations", "2",
    ]  # fmt: skip
    assert inputs_of(command).editor.schedule == schedule_of(run.record)


def test_the_command_for_one_output_has_its_own_seed(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (command,) = opened(capsys, run.path_for(1, "tok_semseg@224", 1, ".png"))["commands"]
    assert command[-2:] == ["--seed", str(SECOND)]


def test_one_output_is_asked_for_where_the_settings_say_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_file(tmp_path, SETTINGS + "num_variations: 2\n")
    run = kept_run(Path("runs"), record(settings, 2))
    assert "--num-variations" not in opened(capsys, "latest")["commands"][0]
    command = opened(capsys, run.path_for(1, "tok_semseg@224", 1, ".png"))["commands"][0]
    assert command[-4:] == ["--seed", str(SECOND), "--num-variations", "1"]


def test_ready_made_files_are_named_as_they_are_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    from fourm_tui.paths import schedules_dir

    shipped = next(schedules_dir().glob("demo/T2R_*.yaml"))
    config = schedules_dir() / "models" / "demo.yaml"
    texts = (
        SettingsText("settings", shipped.read_text(), "/another/machine/schedules/demo/T2R.yaml"),
        SettingsText("models", config.read_text(), str(config)),
    )
    made = replace(record(shipped), settings=texts, overrides=(), models={"model": ModelRecord("demo")})
    kept_run(Path("runs"), made)
    command = opened(capsys, "latest")["commands"][0]
    assert command[2:5] == [f"demo/{shipped.stem}", "-c", "demo"]
    assert inputs_of(command).files[0].text == shipped.read_text()


def test_a_copy_of_a_ready_made_file_is_named_as_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from fourm_tui.paths import schedules_dir

    shipped = next(schedules_dir().glob("demo/T2R_*.yaml"))
    copy = settings_file(tmp_path, shipped.read_text())
    kept_run(Path("runs"), record(copy, overrides=()))
    assert opened(capsys, "latest")["commands"][0][2] == str(copy)


def test_options_and_super_resolution_are_part_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sr = settings_file(tmp_path, "sr_target_domains: tok_rgb@448\nsr_decoding_steps: 2\n", "sr.yaml")
    made = record(settings_file(tmp_path), options={"dtype": "bf16", "device": "cuda:1", "sam_dense": 3})
    made = replace(made, settings=(*made.settings, SettingsText("sr", sr.read_text(), str(sr))))
    kept_run(Path("runs"), made)
    (command,) = opened(capsys, "latest")["commands"]
    assert command[3:5] == ["--sr", str(sr)]
    assert command[-6:] == ["--device", "cuda:1", "--dtype", "bf16", "--sam-dense", "3"]


def test_what_no_option_can_say_is_noted(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = _written(Path("photo.png"), _png())
    given = condition_record("tok_rgb@224", path=photo, options={"crop": [0, 0, 8, 8]})
    kept_run(Path("runs"), record(settings, conditions=(given,)))
    assert any("tok_rgb@224" in note for note in opened(capsys, "latest")["notes"])


@pytest.mark.parametrize("lost", ["changed", "gone", "a picture"])
def test_where_the_settings_are_gone_they_are_saved_first(
    lost: str, run: Run, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    what, expected = "latest", schedule_of(run.record)
    settings.write_text(SETTINGS.replace("2.0", "9.0"))
    if lost != "changed":
        settings.unlink()
    if lost == "a picture":
        what = shutil.copy(run.path_for(1, "tok_semseg@224", 0, ".png"), "copy.png")
        shutil.rmtree("runs")
    save, again = opened(capsys, what)["commands"]
    assert save[:4] == ["fourm-tui", "open", what, "--save"]
    assert main(save[1:]) == 0
    inputs = inputs_of(again)
    assert inputs.editor.schedule.parts[0].rows == expected.parts[0].rows
    assert inputs.given["caption"].text == CAPTION
    capsys.readouterr()
    assert opened(capsys, what)["commands"][0][-1] != save[-1]  # which is taken now


@pytest.mark.parametrize("text", ["@home", "a\nb", "it's \\ $HOME `x`", "é ☃ \x1b[31m", " blank ", "x\udcffy"])
def test_any_text_comes_through_the_command(text: str, settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept_run(Path("runs"), record(settings, conditions=(condition_record("caption", text=text),)))
    for command in opened(capsys, "latest")["commands"]:
        line = " ".join(in_a_shell(tuple(command)))
        assert line.isprintable()
        done = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)
        assert done.stdout == b"".join(os.fsencode(word) + b"\0" for word in command)
        if command[1] == "open":
            assert main(command[1:]) == 0
        else:
            assert inputs_of(command).given["caption"].text == text


# -- saving -----------------------------------------------------------------------------------------------------


def test_saving_writes_settings_with_overrides_and_texts(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "latest", "--save", "saved/here").splitlines()
    assert lines[:2] == ["saved/here/mine.yaml", "saved/here/caption.txt"]
    assert Path("saved/here/mine.yaml").read_text() == SETTINGS.replace("12-4", "12-2")
    assert Path("saved/here/caption.txt").read_text() == CAPTION
    command = " ".join(line.rstrip("\\") for line in lines[3:])
    assert command.split() == [
        "fourm-tui", "run", "saved/here/mine.yaml", "-c", "EPFL-VILAB/4M-7_B_CC12M", "-i",
        "caption=@saved/here/caption.txt", "--seed", "7", "--num-variations", "2",
    ]  # fmt: skip


def test_a_saved_run_is_the_same_run(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    data = opened(capsys, "latest", "--save", "saved")
    assert data["saved"] == [str(Path("saved", name).absolute()) for name in ("mine.yaml", "caption.txt")]
    inputs = inputs_of(data["commands"][0])
    expected = schedule_of(run.record)
    assert expected is not None
    assert inputs.editor.schedule.parts[0].rows == expected.parts[0].rows
    assert inputs.given["caption"].text == CAPTION


@pytest.mark.parametrize("name", ["mine.yaml", "caption.txt"])
def test_nothing_is_overwritten_and_nothing_half_written(
    name: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path("saved")
    folder.mkdir()
    (folder / name).symlink_to("nowhere")
    assert main(["open", "latest", "--save", "saved"]) == 2
    err = capsys.readouterr().err
    assert name in err
    assert len(err.splitlines()) == 1
    assert [file.name for file in folder.iterdir()] == [name]


def test_a_file_is_no_folder_to_save_in(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    Path("saved").touch()
    assert main(["open", "latest", "--save", "saved"]) == 2
    assert "name a folder" in capsys.readouterr().err


def test_a_saved_models_config_still_finds_what_lay_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = settings_file(tmp_path / "configs", "model: beside  # ours\nrgb_tok_id: demo/tok_rgb\n", "big.yaml")
    (config.parent / "beside").mkdir()
    made = record(settings_file(tmp_path))
    made = replace(made, settings=(*made.settings, SettingsText("models", config.read_text(), str(config))))
    kept_run(Path("runs"), made)
    command = opened(capsys, "latest", "--save", "saved")["commands"][0]
    assert command[3:5] == ["-c", "saved/big.yaml"]
    text = Path("saved/big.yaml").read_text()
    assert str(config.parent / "beside") in text
    assert "# ours" in text
    assert "demo/tok_rgb" in text


def test_files_of_one_name_do_not_collide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sr = settings_file(tmp_path / "sr", "sr_target_domains: tok_rgb@448\n")
    made = record(settings_file(tmp_path))
    kept_run(Path("runs"), replace(made, settings=(*made.settings, SettingsText("sr", sr.read_text(), str(sr)))))
    saved = opened(capsys, "latest", "--save", "saved")["saved"]
    assert len(set(saved)) == 3


def test_facts_are_those_that_runs_write(run: Run) -> None:
    facts = read_facts(run.path_for(1, "tok_semseg@224", 0, ".png"))
    assert {"run", "settings", "overrides", "models", "conditions", "version", "seed", "target", "row"} <= facts.keys()


def test_neither_torch_nor_textual_is_imported(run: Run) -> None:
    code = f"from fourm_tui.cli import main\nmain(['open', {str(run.folder.absolute())!r}])"
    assert not {"torch", "textual"} & modules_after(code)
