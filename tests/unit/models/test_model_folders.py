"""Model folders from anywhere: no code in them is run, no question asked, and what cannot be is one line."""

import ast
import json
import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_models import build_neox
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import AutoModelForCausalLM, FalconConfig, GPT2Config, LlamaConfig, PreTrainedTokenizerFast

from overtime import InputError
from overtime.checksums import seal
from overtime.models.config_sizes import check_sizes
from overtime.models.load import load
from overtime.models.neox import NeoxConfig

WORKFLOW = Path(__file__).parents[3] / "workflow"
LLAMA = LlamaConfig(
    vocab_size=20, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2
)
FALCON = FalconConfig(vocab_size=20, hidden_size=32, num_hidden_layers=1, num_attention_heads=2)
FOREIGN = {"AutoConfig": "foreign.Own", "AutoModelForCausalLM": "foreign.Own", "AutoTokenizer": ["foreign.Own", None]}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A tiny model of each configuration, with a tokenizer of 20 words."""
    place = tmp_path_factory.mktemp("models")
    words = {word: number for number, word in enumerate(["<|endoftext|>", "<|padding|>", *"abcdefghijklmnopqr"])}
    core = Tokenizer(WordLevel(words))
    core.pre_tokenizer = WhitespaceSplit()
    gpt2 = GPT2Config(vocab_size=20, n_embd=32, n_layer=1, n_head=2, n_positions=64, bos_token_id=0, eos_token_id=0)
    models = {"llama": LLAMA, "gpt2": gpt2, "falcon": FALCON}
    for name, config in models.items():
        AutoModelForCausalLM.from_config(config).save_pretrained(place / name)
    build_neox(32, 2, 2, vocabulary=20, context=64, seed=0).save_pretrained(place / "neox")
    for name in (*models, "neox"):
        PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|endoftext|>").save_pretrained(place / name)
    return place


@pytest.fixture
def folder(made, tmp_path):
    """A copy of the model of a name, after changes to its config.json."""

    def copy(name: str, **changes: object) -> Path:
        place = shutil.copytree(made / name, tmp_path / name)
        change(place / "config.json", **changes)
        return place

    return copy


def change(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refusal(place: Path) -> str:
    with pytest.raises(InputError) as error:
        load(place)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(place))
    return str(error.value)


def plant(place: Path) -> None:
    """Code that says when it is run, and a mapping that asks for it."""
    (place / "foreign.py").write_text(f"open({str(place / 'ran')!r}, 'w')\nclass Own:\n    pass\n")
    for file in ("config.json", "tokenizer_config.json"):
        change(place / file, auto_map=FOREIGN)


def test_an_unknown_architecture_with_code_of_its_own_is_one_line(folder):
    place = folder("llama", model_type="strange")
    plant(place)
    assert "its auto_map asks for code of its own, which is never run" in refusal(place)
    assert not (place / "ran").exists()


def test_a_tokenizer_with_code_of_its_own_is_one_line(folder):
    place = folder("llama")
    described = (place / "config.json").read_bytes()
    plant(place)
    (place / "config.json").write_bytes(described)
    change(place / "tokenizer_config.json", tokenizer_class="StrangeTokenizer")
    assert "its auto_map asks for code of its own, which is never run" in refusal(place)
    assert not (place / "ran").exists()


def test_a_known_architecture_is_the_librarys_own_and_nothing_is_asked(folder, caplog):
    place = folder("falcon")
    plant(place)
    with caplog.at_level(logging.INFO, "overtime"):
        model, _ = load(place)
    assert type(model).__module__.startswith("transformers.models.falcon")
    assert f"{place}: its own code (auto_map) is not run; the library's own falcon is" in caplog.text
    assert not (place / "ran").exists()
    code = f"import sys; sys.path.insert(0, {str(WORKFLOW)!r})\nfrom overtime.models.load import load\nload({str(place)!r})"
    done = subprocess.run([sys.executable, "-c", code], input="y\n" * 9, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "[y/N]" not in done.stdout + done.stderr
    assert not (place / "ran").exists()


def test_every_load_says_that_nothing_foreign_is_run():
    calls = 0
    for path in [*WORKFLOW.rglob("overtime/**/*.py"), *WORKFLOW.glob("scripts/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                if re.match(r"Auto\w+\.from_", ast.unparse(node.func)):
                    assert given.get("trust_remote_code") == "False", f"{path}, line {node.lineno}"
                    calls += 1
                if ast.unparse(node.func) == "torch.load":
                    assert given.get("weights_only") == "True", f"{path}, line {node.lineno}"
                    calls += 1
    assert calls >= 6


IMPOSSIBLE = [-1, 0, 10**12, "32", 2.5, True, float("nan"), [0], {}]
SIZES = {
    "llama": [
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "intermediate_size",
        "vocab_size",
    ],
    "gpt2": ["n_embd", "n_layer", "n_head", "n_positions", "vocab_size"],
}


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, keys in SIZES.items() for key in keys])
def test_impossible_sizes_are_named(folder, name, key):
    place = folder(name)
    for value in IMPOSSIBLE:
        change(place / "config.json", **{key: value})
        assert f"{place / 'config.json'}: {key} is " in refusal(place)
    change(place / "config.json", **{key: None})
    assert key in refusal(place) or key in ("num_key_value_heads", "n_inner")


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("llama", {"num_hidden_layers": 10**9}, "num_hidden_layers is '1000000000', expected a whole number from 1 to 2,000"),
        ("llama", {"num_attention_heads": 5, "head_dim": None}, "a width of 32 cannot be shared by 5 attention heads"),
        ("llama", {"num_key_value_heads": 3}, "4 attention heads cannot share 3 keys and values"),
        ("llama", {"vocab_size": 19}, "a tokenizer of 20 tokens, but the model knows 19"),
        ("llama", {"vocab_size": 21}, "is [20, 32], but [21, 32] in this llama"),
        ("llama", {"rms_norm_eps": "small"}, "not the folder of a causal language model"),
        ("llama", {"hidden_act": "magic"}, "not the folder of a causal language model"),
        ("llama", {"rope_parameters": 3}, "not the folder of a causal language model"),
        ("gpt2", {"n_positions": 10**9, "n_embd": 10**6}, "its sizes ask for more memory than there is"),
        ("gpt2", {"n_head": 3}, "a width of 32 cannot be shared by 3 attention heads"),
        ("neox", {"hidden_size": 10**6}, ""),
        ("neox", {"intermediate_size": 10**7}, ""),
    ],
)
def test_what_does_not_fit_is_one_line(folder, name, changes, message):
    assert message in refusal(folder(name, **changes))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff\xfe{\x00", b"[" * 10**5, b'{"model_type": 3}'])
def test_a_broken_configuration_is_one_line(folder, content):
    place = folder("llama")
    (place / "config.json").write_bytes(content)
    assert "not the folder of a causal language model" in refusal(place)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\x00" * 100, b"[" * 10**5])
@pytest.mark.parametrize("file", ["tokenizer.json", "tokenizer_config.json"])
def test_a_broken_tokenizer_is_one_line(folder, file, content):
    place = folder("llama")
    (place / file).write_bytes(content)
    if (file, content) != ("tokenizer_config.json", b"{}"):
        assert "not the folder of a causal language model" in refusal(place)


def test_sizes_of_real_models_pass():
    for config in (
        {
            "hidden_size": 16384,
            "num_hidden_layers": 126,
            "num_attention_heads": 128,
            "num_key_value_heads": 8,
            "vocab_size": 128256,
        },
        {"text_config": {"max_position_embeddings": 10485760, "hidden_size": 5120, "num_attention_heads": 40}},
        {"hidden_size": 2048, "num_attention_heads": 8, "head_dim": 256, "intermediate_size": [8192] * 30},
        {"hidden_size": 1152, "num_attention_heads": 4, "head_dim": 256, "vocab_size": 262144},
        {"n_embd": 14336, "n_layer": 70, "n_head": 112, "n_inner": None},
        {"hidden_size": 4544, "num_attention_heads": 71, "multi_query": True},
    ):
        check_sizes("config.json", config)


def test_a_run_of_the_suite_with_impossible_sizes_is_named(tmp_path):
    config = NeoxConfig(20, 16, 1, 2, 16)
    config.save(tmp_path)
    assert NeoxConfig.read(tmp_path) == config
    change(tmp_path / "config.json", num_attention_heads=3)
    with pytest.raises(InputError, match=r"config\.json: a width of 16 cannot be shared by 3 attention heads"):
        NeoxConfig.read(tmp_path)


def test_a_flipped_bit_in_a_sealed_model_is_noticed_when_it_is_loaded(folder):
    place = folder("llama")
    seal(place)
    load(place)
    file = place / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    assert f"{file}: damaged, its SHA-256 is not" in refusal(place)
