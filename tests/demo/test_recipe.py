"""The recipe of the model in the box, in small: tokenizers learn, tasks ask what they say, training can be resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fourm_tui.architecture import Architecture
from fourm_tui.demo import tasks
from fourm_tui.demo.data import HELD_OUT, Scenes, scenes_on_disk
from fourm_tui.demo.files import save_checkpoint
from fourm_tui.demo.learning import Learner, probe
from fourm_tui.demo.model import CONFIG, IMAGES, TEXTS, new_model
from fourm_tui.demo.text import VOCABULARY_SIZES, write_text_tokenizer
from fourm_tui.demo.tokenizers import RECIPES, _rounded, new_tokenizer, quality, train
from fourm_tui.demo.tokens import TokenSet, tokenized, tokens_on_disk
from fourm_tui.demo.train import main as train_all
from fourm_tui.demo.train import write_model
from fourm_tui.formats.vocabulary import EOS, PAD
from fourm_tui.model.loading import load_model
from fourm_tui.model.training import losses
from fourm_tui.tokenizers.loading import load_tokenizer
from fourm_tui.tokenizers.text import TextTokenizer
from fourm_tui.tokenizers.vqvae import VQVAE


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    return scenes_on_disk(tmp_path_factory.mktemp("scenes"), HELD_OUT, 8)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    file = tmp_path_factory.mktemp("text") / "text_tokenizer.json"
    write_text_tokenizer(file)
    return TextTokenizer(file)


@pytest.fixture(scope="module")
def tokens(scenes: Scenes, text: TextTokenizer) -> TokenSet:
    torch.manual_seed(0)
    return tokenized(scenes, {name: new_tokenizer(recipe).eval() for name, recipe in RECIPES.items()}, text)


# -- data ----------------------------------------------------------------------------------------------------------


def test_scenes_are_rendered_once(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    first = scenes_on_disk(tmp_path, 3, 2, lambda done, total: calls.append((done, total)))
    assert calls[-1] == (2, 2)
    times = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    again = scenes_on_disk(tmp_path, 3, 2)
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == times
    assert first.texts == again.texts
    depth = again.arrays["depth"][0].astype(np.float32)
    middle = np.sort(depth.ravel())[int(0.1 * depth.size) : int(0.9 * depth.size)]
    assert abs(middle.mean()) < 0.01  # standardised as 4M has it
    assert abs(middle.std() - 1) < 0.01


# -- tokenizers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
def test_the_nearest_code_is_the_latent_rounded_to_its_levels(name: str) -> None:
    recipe = RECIPES[name]
    tokenizer = new_tokenizer(recipe)
    latent = torch.randn(2, len(recipe.levels), 14, 14, generator=torch.Generator().manual_seed(0)) * 4
    codes = tokenizer.embed_tokens(tokenizer.quantize.tokens(latent))
    torch.testing.assert_close(codes, _rounded(latent, recipe.levels))


def test_a_tokenizer_learns_and_comes_back_from_disk(scenes: Scenes, tmp_path: Path) -> None:
    torch.manual_seed(0)
    recipe = RECIPES["tok_semseg@224"]
    tokenizer = new_tokenizer(recipe)
    before = quality(tokenizer, recipe, scenes, 8)["miou"]
    ticks = iter(range(10**6))
    found = [step.loss for step in train(tokenizer, recipe, scenes, 40, batch=2, clock=lambda: float(next(ticks)))]
    assert 10 < len(found) < 40
    assert found[-1] < found[0]
    assert quality(tokenizer, recipe, scenes, 8)["miou"] > before
    save_checkpoint(tmp_path, recipe.config, tokenizer.state_dict(), torch.float32)
    loaded = load_tokenizer(str(tmp_path))
    assert isinstance(loaded, VQVAE)
    ids = torch.from_numpy(np.array(scenes.arrays["semseg"][:2])).long()
    assert torch.equal(loaded.encode(ids), tokenizer.encode(ids))


# -- text ----------------------------------------------------------------------------------------------------------


def test_every_text_of_the_world_survives_its_tokens(scenes: Scenes, text: TextTokenizer) -> None:
    for row in scenes.texts:
        for name in ("det", "color_palette", "metadata"):
            assert text.decode(text.encode(row[name])) == row[name]
            assert max(text.encode(row[name])) < VOCABULARY_SIZES[name]
        for words in row["captions"]:
            ids = text.encode(words)
            assert text.decode(ids) == words
            assert max(ids) < VOCABULARY_SIZES["caption"]
            assert 1 not in ids  # nothing is unknown


def test_words_of_another_world_are_spelled(text: TextTokenizer) -> None:
    assert text.decode(text.encode("a fluffy cat")) == "a fluffy cat"


# -- tasks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", tasks.TASKS)
def test_a_task_shows_and_asks_what_fits_its_budgets(name: str, tokens: TokenSet) -> None:
    task = tasks.TASKS[name]
    draw = np.random.Generator(np.random.PCG64(0))
    for _ in range(5):
        made = tasks.batch(draw, tokens, task, 16)
        assert list(made) == [*TEXTS, *IMAGES]
        seen = sum(part.visible.sum(1) for part in made.values())
        assert int(seen.max()) <= task.encoder_tokens + 20  # texts come first, so what is cut is some of an image
        for part in made.values():
            assert not (part.visible & part.target).any()
        assert sum(int(part.target.sum()) for part in made.values()) > 0


def test_texts_are_asked_as_generation_asks_them() -> None:
    ids = np.array([[300, 301, EOS, PAD, PAD]] * 4)
    made = tasks._text(ids, np.array([tasks.ABSENT, tasks.OPEN, tasks.GIVEN, tasks.TARGET]))
    visible = [made.values[i][made.visible[i]].tolist() for i in range(4)]
    assert visible == [[], [5], [300, 301, EOS], [5]]
    assert made.values[3][made.target[3]].tolist() == [5, 300, 301, EOS, 6]
    assert not made.target[:3].any()


# -- the model -----------------------------------------------------------------------------------------------------


def test_the_plain_attention_of_training_is_that_of_generation(tokens: TokenSet) -> None:
    model = new_model()
    task = tasks.TASKS["see"]
    made = tasks.batch(np.random.Generator(np.random.PCG64(1)), tokens, task, 2)
    trained = losses(model, made, task.encoder_tokens, task.decoder_tokens).by_modality
    model.requires_grad_(False)
    for name, value in losses(model, made, task.encoder_tokens, task.decoder_tokens).by_modality.items():
        torch.testing.assert_close(trained[name].detach(), value, atol=1e-4, rtol=1e-4)


def test_training_learns_and_goes_on_where_it_was(tokens: TokenSet, tmp_path: Path) -> None:
    def learner() -> Learner:
        torch.manual_seed(0)
        return Learner(new_model(), rate=1e-3, batch_size=4)

    straight, task = learner(), tasks.TASKS["trace"]
    asked = tasks.batch(np.random.Generator(np.random.PCG64(2)), tokens, task, 4)
    with torch.no_grad():
        before = float(losses(straight.model, asked, task.encoder_tokens, task.decoder_tokens).total)
    for step in straight.learn(tokens, 1e6):
        if step.number == 3:
            straight.save(tmp_path / "state.safetensors")
        if step.number == 6:
            break
    with torch.no_grad():
        assert float(losses(straight.model, asked, task.encoder_tokens, task.decoder_tokens).total) < before
    resumed = learner()
    resumed.load(tmp_path / "state.safetensors")
    assert (resumed.steps, resumed.samples) == (3, 12)
    for step in resumed.learn(tokens, 1e6):
        if step.number == 6:
            break
    probed = probe(resumed.model, tokens, 2)
    assert all(0 <= value <= 1 for value in probed.values())
    # Only the warm-up differs: it begins anew, so the two are near each other and not the same.
    for a, b in zip(straight.model.parameters(), resumed.model.parameters(), strict=True):
        assert float((a - b).detach().abs().max()) < 0.02


def test_a_written_model_is_a_checkpoint_like_any_other(tmp_path: Path) -> None:
    model = new_model().eval()
    write_model(tmp_path, model)
    loaded = load_model(str(tmp_path), dtype="fp32", packed=False)
    loaded.bring()
    assert loaded.architecture == Architecture.from_config(dict(CONFIG))
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor, atol=2e-3, rtol=1e-3)


def test_tokens_are_kept_and_scenes_are_not(text: TextTokenizer, tmp_path: Path) -> None:
    tokenizers = {name: new_tokenizer(recipe).eval() for name, recipe in RECIPES.items()}
    made = tokens_on_disk(tmp_path, 50, 3, tokenizers, text, chunk=2)
    assert len(made) == 3
    assert made.texts["caption"].shape[:2] == (3, 4)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["tokens-50-2.npz", "tokens-52-1.npz"]
    again = tokens_on_disk(tmp_path, 50, 3, {}, text, chunk=2)
    assert all(np.array_equal(made.images[name], again.images[name]) for name in IMAGES)


def test_the_whole_recipe_runs_goes_on_and_starts_from_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "out"), "--scenes", "6", "--tokenizer-scenes", "6",
           "--tokenizer-minutes", "0.01", "--batch-size", "2", "--device", "cpu"]  # fmt: skip
    assert train_all([*few, "--minutes", "0.03"]) == 0
    names = {"model", "tok_rgb", "tok_depth", "tok_normal", "tok_semseg"}
    assert {folder.name for folder in (tmp_path / "out").iterdir()} == names
    before = (tmp_path / "out/model/model.safetensors").read_bytes()
    assert train_all([*few, "--minutes", "0.06"]) == 0
    assert "going on from step" in capsys.readouterr().err
    assert (tmp_path / "out/model/model.safetensors").read_bytes() != before
    (tmp_path / "work/model.safetensors").unlink()
    assert train_all([*few, "--minutes", "0.02", "--from-weights"]) == 0
    load_model(str(tmp_path / "out/model"))
