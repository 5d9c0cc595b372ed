"""`fourm-tui show`: pictures, maps, tokens and runs, on terminals and elsewhere."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fourm_tui.cli import main
from fourm_tui.pictures import depth, labels
from fourm_tui.pictures.png import png_bytes
from fourm_tui.runs import GIVEN, LEFT_OPEN, ConditionRecord, TargetTokens, create_run, write_tokens
from fourm_tui.runs.files import write_new
from tests.runs.made import T2CR
from tests.terminal.scenes import class_map, scene
from tests.terminal.test_graphics import decoded_kitty, decoded_sixels
from tests.terminal.test_probe import fake_tmux, in_terminal

SHOWING = """
import fcntl, json, os, select, sys, termios, tty
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from fourm_tui.cli import main
code = main(["show", *json.loads(os.environ["WORDS"])])
tty.setcbreak(0)
keys = b""
while select.select([0], [], [], 0.4)[0]:
    keys += os.read(0, 100)
with open(sys.argv[1], "w") as file:
    json.dump({"code": code, "keys": keys.decode("latin-1")}, file)
"""
SIXEL = b"\x1b[?64;4c"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FOURM_TUI_PROTOCOL", "FOURM_TUI_COLOURS", "COLUMNS", "LINES", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    scene().save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


def tokens(path: Path, modality: str = "tok_rgb@224", count: int = 196) -> Path:
    step = np.arange(count) % 25
    step[:3], step[3:5] = GIVEN, LEFT_OPEN
    write_tokens(path, TargetTokens(modality, 1, 0, np.arange(count), step, np.linspace(0, 1, count)))
    return path


def run_folder(folder: Path, photo: Path) -> Path:
    """A run of two rows and two samples, of which the second stopped in between."""
    run = create_run(folder, T2CR)
    run = run.save(
        status="done",
        conditions=(ConditionRecord("caption", text="a fox \x1b[31m"), ConditionRecord("rgb@224", path=str(photo))),
    )
    tokens(run.path_for(1, "tok_clip@224", 0, ".safetensors"), "tok_clip@224")
    write_new(run.path_for(1, "tok_clip@224", 0, ".png"), png_bytes(scene(60)))
    write_new(run.path_for(2, "caption", 0, ".txt"), b"a red fox in deep snow")
    tokens(run.path_for(1, "tok_clip@224", 1, ".safetensors"), "tok_clip@224")
    return run.folder


def shown(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["show", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_elsewhere_than_on_a_terminal_there_is_a_line_of_facts_per_file(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    levels = depth.in_16_bits(np.linspace(-1.5, 2, 64 * 48).reshape(48, 64))
    deep = tmp_path / "02_tok_depth@224_16bit.png"
    deep.write_bytes(png_bytes(levels.picture, levels.facts))
    np.save(tmp_path / "01_tok_clip@224.npy", np.linspace(-2, 3, 512 * 4 * 4, dtype=np.float32).reshape(512, 4, 4))
    map_ = tokens(tmp_path / "02_tok_rgb@224.safetensors")
    lines = shown(capsys, photo, deep, tmp_path / "01_tok_clip@224.npy", map_).splitlines()
    assert lines[0].startswith(f"{photo}  224 x 224  RGB  ")
    assert lines[1] == f"{deep}  64 x 48  Depth  16 bit  -1.5 to 2"
    assert lines[2] == f"{tmp_path}/01_tok_clip@224.npy  512 x 4 x 4  CLIP features  float32  -2 to 3"
    assert lines[3] == f"{map_}  196 tokens  RGB  25 steps  0 to 195"


def test_a_picture_that_is_asked_for_goes_anywhere(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, photo, "--protocol", "blocks", "--width", 20)
    lines = text.splitlines()
    assert "photo.jpg" in lines[0]
    assert len(lines) == 11
    assert all(len(re.sub(r"\x1b\[[\d;]*m", "", line)) == 20 for line in lines[1:])
    sixels = re.search(r"\x1b7\x1bP.*\x1b8", shown(capsys, photo, "--protocol", "sixel", "--width", 20), re.S)
    assert sixels
    assert decoded_sixels(sixels[0])[0].shape == (198, 200, 3)
    graphics = re.search(r"\x1b_G.*\x1b\\", shown(capsys, photo, "--protocol", "kitty", "--width", 20), re.S)
    assert graphics
    assert decoded_kitty(graphics[0])[0][0]["c"] == "20"


def test_ascii_has_nothing_but_ascii(
    photo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(capsys, photo, "--protocol", "blocks", "--ascii").isascii()
    monkeypatch.setenv("NO_COLOR", "1")
    text = shown(capsys, photo, "--protocol", "blocks", "--ascii", "--width", "30")
    assert "\x1b" not in text
    assert len(set(text)) > 5


def test_no_pictures_on_request(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, photo, "--protocol", "none").startswith(str(photo))


def colours_of(text: str) -> set[tuple[int, ...]]:
    return {tuple(map(int, found.split(";"))) for found in re.findall(r"[34]8;2;(\d+;\d+;\d+)", text)}


def test_label_maps_keep_the_colours_of_their_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = np.zeros((60, 60), dtype=np.uint8)
    ids[20:, 10:], ids[25:41, 13:31] = 1, 18
    expected = {labels.color_of(index) for index in (0, 1, 18)}
    np.save(tmp_path / "ids.npy", ids)
    Image.fromarray(ids).save(tmp_path / "04_tok_semseg@224_classes.png")
    labels.colored(ids).save(tmp_path / "04_tok_semseg@224.png")
    for name in ("ids.npy", "04_tok_semseg@224_classes.png", "04_tok_semseg@224.png"):
        assert colours_of(shown(capsys, tmp_path / name, "--protocol", "blocks", "--width", 17)) == expected


def test_depth_is_coloured_whether_in_16_bits_or_as_an_array(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    np.save(tmp_path / "depth.npy", values)
    Image.fromarray((values * 60000).astype(np.uint16)).save(tmp_path / "depth.png")
    texts = [
        shown(capsys, tmp_path / name, "--protocol", "blocks", "--width", 16) for name in ("depth.npy", "depth.png")
    ]
    assert all(len(colours_of(text)) > 10 for text in texts)
    assert texts[0].splitlines()[1] == texts[1].splitlines()[1]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((24, 14, 14), dtype=np.float32), np.zeros((3, 30, 20), dtype=np.float32), np.eye(30, dtype=bool),
        np.zeros((30, 20, 3), dtype=np.uint8), np.full((1, 20, 20), np.nan), np.zeros(512, dtype=np.float32),
        np.float64(3), np.zeros((2, 3, 4, 5)), np.full((9, 9), -5), np.eye(30, dtype=np.int64) * 70000,
    ],
    ids=lambda array: f"{array.dtype}{list(array.shape)}",
)  # fmt: skip
def test_any_array_is_shown_or_described(array: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "array.npy", array)
    assert len(shown(capsys, tmp_path / "array.npy").splitlines()) == 1
    assert "array.npy" in shown(capsys, tmp_path / "array.npy", "--protocol", "blocks")


@pytest.mark.parametrize("by", ["step", "confidence", "token"])
def test_tokens_are_a_map_of_two_characters_each(by: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tokens(tmp_path / "tokens.safetensors")
    lines = re.sub(
        r"\x1b\[[\d;]*m", "", shown(capsys, path, "--protocol", "blocks", "--by", by, "--width", 28)
    ).splitlines()
    assert len(lines) == 15
    assert lines[1] == " " * 6 + "· · " + " " * 18
    count = len(colours_of(shown(capsys, path, "--protocol", "blocks", "--by", by)))
    assert count > (100 if by == "token" else 20)


@pytest.mark.parametrize("modality", ["caption", "tok_dinov2_global", "tok_of_tomorrow"])
def test_tokens_without_a_grid_are_shown_in_rows(
    modality: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tokens(tmp_path / "tokens.safetensors", modality, 16)
    assert "tokens.safetensors" in shown(capsys, path, "--protocol", "blocks")


def test_an_array_of_tokens_knows_no_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "02_tok_rgb@224.npy", np.arange(196))
    assert "196 different" in shown(capsys, tmp_path / "02_tok_rgb@224.npy", "--protocol", "blocks")
    assert main(["show", str(tmp_path / "02_tok_rgb@224.npy"), "--by", "step", "--protocol", "blocks"]) == 2
    assert "--by token" in capsys.readouterr().err


def test_a_run_is_its_conditions_and_outputs_in_order(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run_folder(tmp_path / "runs", photo)
    monkeypatch.chdir(tmp_path)
    texts = [
        shown(capsys, name, "--protocol", "blocks")
        for name in ("latest", folder, folder.name, folder.name[:12], folder / "run.json")
    ]
    assert len(set(texts)) == 1
    bare = re.sub(r"\x1b\[[\d;]*m", "", texts[0])
    titles = ["Caption", "RGB photo", "1 CLIP features · 0", "2 Caption · 0", "1 CLIP features · 1", "2 Caption · 1"]
    places = [bare.index(title) for title in titles]
    assert places == sorted(places)
    assert "a red fox in deep snow" in bare
    assert r"a fox \x1b[31m" in bare
    assert "pending" in bare  # what did not come to be
    lines = shown(capsys, "latest").splitlines()
    assert len(lines) == 6
    assert "--by" not in shown(capsys, "latest", "--by", "step", "--protocol", "blocks")
    assert "step 0 to 24" in shown(capsys, "latest", "--by", "step", "--protocol", "blocks")


def test_what_is_gone_does_not_hide_the_rest_of_a_run(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_folder(tmp_path / "runs", photo)
    photo.unlink()
    next(folder.glob("samples/000/*.png")).write_bytes(b"torn")
    lines = shown(capsys, "latest", "--runs", tmp_path / "runs").splitlines()
    assert "No such file" in lines[1]
    assert "no picture" in lines[2]
    assert len(lines) == 6


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda f: f / "none.png", "there is no such file"),
        (lambda f: "nothing-here", "no such run"),
        (lambda f: "latest", "there are no runs yet"),
        (lambda f: f, "a folder without a run"),
        (lambda f: _written(f / "a.png", b"not a picture"), "its content is of no known format"),
        (lambda f: _written(f / "a.jpg", _progressive_claiming(11_000)), "11000 x 11000 pixels, more than can be read"),
        (lambda f: _written(f / "a.jpg", b""), "empty"),
        (lambda f: _written(f / "a.npy", b"\x93NUMPY rubbish"), "cannot be read as an array"),
        (lambda f: _written(f / "a.npy", _pickled()), "cannot be read as an array"),
        (lambda f: _written(f / "a.safetensors", b"\0" * 20), "cannot be read as tokens"),
        (lambda f: _written(f / "a.eps", b"%!PS"), "nothing that can be shown"),
        (lambda f: _written(f / "a.txt", b"\xff\xfe"), "no text in UTF-8"),
        (lambda f: "a\0b", "no name"),
        (lambda f: "x\x1b[2J/y.png", r"\x1b[2J"),
        (lambda f: _fifo(f / "pipe.png"), "is a pipe|is no file"),
    ],
)
def test_wrong_input_is_one_message(make, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(make(tmp_path)), "--runs", str(tmp_path / "runs")]) == 2
    out, err = capsys.readouterr()
    assert re.search(re.escape(words).replace(r"\|", "|").replace(r"\ ", " "), err)
    assert len(err.splitlines()) == 1
    assert "\x1b" not in err
    assert out == ""


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _progressive_claiming(side: int) -> bytes:
    """A JPEG that cannot be decoded at a fraction of its size, and says that it is a large square."""
    file = io.BytesIO()
    scene(16).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    size = content.index(b"\xff\xc2") + 5
    return content[:size] + 2 * side.to_bytes(2, "big") + content[size + 4 :]


def _pickled() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    return file.getvalue()


def _fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("words", [["--width", "0"], ["--width", "-3"]])
def test_a_width_is_at_least_one_column(words: list[str], photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(photo), *words]) == 2
    assert "--width" in capsys.readouterr().err


def test_nothing_is_shown_if_one_of_several_is_wrong(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(photo), str(photo.with_name("none.png"))]) == 2
    assert capsys.readouterr().out == ""


def process(*words: object, **more: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "fourm_tui", "show", *map(str, words)], capture_output=True,
        check=False, **more,  # type: ignore[call-overload]
    )  # fmt: skip


def test_stdin_is_never_read(photo: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"for the next command\n")
    assert process(photo, stdin=reading).returncode == 0
    assert os.read(reading, 100) == b"for the next command\n"
    os.close(reading)
    os.close(writing)
    assert process(photo, preexec_fn=lambda: os.close(0)).returncode == 0


def test_a_reader_that_leaves_is_no_error(photo: Path) -> None:
    command = f"{sys.executable} -m fourm_tui show {photo} {photo} {photo} --protocol sixel | head -c 10 >/dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert done.stdout == b"0\n"
    assert done.stderr == b""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_large_photo_costs_less_than_200_mb(tmp_path: Path) -> None:
    scene(500).resize((4000, 3000)).save(tmp_path / "large.jpg")
    code = (
        "import re, sys; from fourm_tui.cli import main\n"
        f"main(['show', '{tmp_path}/large.jpg', '--protocol', 'blocks'])\n"
        "status = open('/proc/self/status').read()\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) / 1024, file=sys.stderr)"
    )
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert "▄" in done.stdout or "▌" in done.stdout
    assert float(done.stderr) < 200


# -- on terminals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [0, 0.1, 0.6])
def test_a_terminal_with_sixel_gets_it_unless_it_is_late(late: float, photo: Path, tmp_path: Path) -> None:
    said = in_terminal(tmp_path, lambda _: [(late, SIXEL)], script=SHOWING, WORDS=f'["{photo}"]', COLORTERM="truecolor")
    assert said["code"] == 0
    assert said["keys"] == ""
    assert (b"\x1bP" in said["seen"]) == (late < 0.2)
    assert (b"[48;2;" in said["seen"]) == (late > 0.2)


@pytest.mark.parametrize("size", [(24, 80, 0, 0), (0, 0, 0, 0), (3, 2, 20, 60)])
def test_a_mute_terminal_and_odd_windows_get_blocks(
    size: tuple[int, int, int, int], photo: Path, tmp_path: Path
) -> None:
    said = in_terminal(tmp_path, lambda _: [], size, SHOWING, WORDS=f'["{photo}"]')
    assert said["code"] == 0
    assert b"48;5;" in said["seen"]


def test_a_dumb_terminal_gets_letters(photo: Path, tmp_path: Path) -> None:
    said = in_terminal(tmp_path, lambda _: [], script=SHOWING, WORDS=f'["{photo}"]', TERM="dumb")
    assert b"\x1b" not in said["seen"]
    assert len(said["seen"].splitlines()) > 10


def test_tmux_is_believed_about_its_client(photo: Path, tmp_path: Path) -> None:
    env = fake_tmux(tmp_path, 'printf "xterm\\t256,RGB,sixel\\toff\\n"')
    said = in_terminal(tmp_path, lambda _: [], (24, 80, 800, 480), SHOWING, WORDS=f'["{photo}"]', **env)
    assert b"\x1bP" in said["seen"]
    env = fake_tmux(tmp_path, 'printf "xterm\\t256,RGB\\toff\\n"')
    said = in_terminal(tmp_path, lambda _: [], (24, 80, 800, 480), SHOWING, WORDS=f'["{photo}"]', **env)
    assert b"[48;2;" in said["seen"]


def test_class_maps_of_pictures_are_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class_map().save(tmp_path / "04_tok_semseg@224.png")
    text = shown(capsys, tmp_path / "04_tok_semseg@224.png", "--protocol", "blocks", "--width", 20)
    assert colours_of(text) == {colour for _, colour in class_map().getcolors()}
