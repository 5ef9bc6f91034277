"""The configuration: every key, its type, its limits and what it means; one line names the file and the key of a mistake."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from overtime import InputError
from overtime.pipeline.config_files import check_files, where
from overtime.pipeline.settings_continued import Continued, ContinuedRuns, Intervention, all_runs, check_continued
from overtime.pipeline.settings_corpora import Corpus, check_lacking
from overtime.pipeline.settings_pretrained import Family, Pretrained, Prompts, Study
from overtime.pipeline.settings_questions import PublishedMap, Questions
from overtime.pipeline.settings_suite import Arm, Insertion, Retrieval, Suite, Variant, World
from overtime.pipeline.settings_types import NAME, NAME_IN_WORDS, Name, Named, Section

TAKEN = ("baseline", "insert_late", "insert_spread")  # training runs that are no arm of the settings
QUOTE = "YAML reads an unquoted yes, no, on, off, true or false as a boolean; write the value meant, a word in quotation marks"


class Statistics(Section):
    resamples: Annotated[int, Field(ge=100)] = Field(description="bootstrap resamples; every interval is of 95 %")
    seed: int = Field(ge=0, description="seed of the bootstrap")


class FigureModels(Section):
    fig1: list[Name] = Field(min_length=1, description="suite models of figure 1")
    fig2: list[Name] = Field(min_length=1, description="suite models of figure 2")


class Settings(Section):
    """The whole configuration."""

    scale: Name = Field(description="name of the results folder")
    mirror: str | None = Field(description="folder of copies of public files at HOST/PATH of their url, tried before the network")
    world: World
    suite: Suite
    arms: Named[Arm] = Field(min_length=1, description="training runs that continue a baseline on rewritten text; names are free")
    variants: Named[Variant] = Field(default={}, description="the same world with what is given changed; names are free")
    insertion: Insertion | None = Field(description="inserting documents into the suite's training data; null: not at all")
    retrieval: Retrieval
    device: Literal["auto", "cpu", "cuda"] = Field(description="where pretrained models run; auto: a GPU where there is one")
    gpu_memory_gb: Annotated[float, Field(ge=0)] = Field(
        description="memory of one GPU, from which steps compute how many they ask the scheduler for; 0: they ask for none"
    )
    pretrained: Named[Pretrained] = Field(description="pretrained models")
    checkpoints: Named[Family] = Field(description="published training runs whose bias is scored over training, by model")
    crows_pairs: Literal["revised", "original"] = Field(description="the CrowS-Pairs set that published models are scored on")
    questions: Questions
    entity_maps: Named[PublishedMap] = Field(description="corpora of pretrained models whose documents can be counted")
    prompts: Prompts
    corpora: Named[Corpus] = Field(default={}, description="corpora: sharded JSON Lines of your own, or a data set")
    continued: Named[Continued] = Field(default={}, description="published checkpoints that are trained further on a corpus")
    interventions: Named[Intervention] = Field(
        default={}, description="models continued on several texts of a corpus, each on several stretches: a family of runs"
    )
    statistics: Statistics
    figures: FigureModels

    @field_validator("scale")
    @classmethod
    def not_the_reference(cls, scale: str) -> str:
        if scale.partition("-")[0] == "reference":
            raise ValueError(f"results/{scale} may hold a committed run; give yours another name")
        return scale

    @field_validator("mirror")
    @classmethod
    def a_folder(cls, mirror: str | None) -> str | None:
        if mirror is not None and not Path(mirror).is_dir():
            whole = Path(mirror).expanduser().absolute()
            raise ValueError(f"{mirror} is no folder; write the path of one that exists ({whole} was looked for), or null")
        return mirror

    @model_validator(mode="after")
    def consistent(self) -> "Settings":
        for key, names in self._suite_models():
            if unknown := set(names) - set(self.suite.sizes):
                known = ", ".join(self.suite.sizes)
                raise ValueError(f"{key}: no model {', '.join(sorted(unknown))} in suite.sizes, which has {known}")
        if unknown := {model.corpus for model in self.pretrained.values() if model.corpus is not None} - set(self.entity_maps):
            raise ValueError(f"pretrained: no corpus {', '.join(sorted(unknown))} in entity_maps")
        for name, variant in self.variants.items():
            if strange := set(variant.arms) - set(self.arms):
                raise ValueError(f"variants.{name}.arms: no arm {min(strange)} in arms, which has {', '.join(self.arms)}")
        for key, share in self._branches():
            if all(abs(1 - share - saved) > 1e-9 for saved in self.suite.checkpoints):
                raise ValueError(f"{key}.share: {share} needs a checkpoint at {1 - share:g} in suite.checkpoints")
        self._enough_runs()
        check_names(self)
        check_lacking(self.corpora, self.questions.sets, self.pretrained)
        check_continued(self.corpora, self.continued, self.interventions, self.pretrained)
        return self

    def _enough_runs(self) -> None:
        """Every run with insertion has a baseline of its seed."""
        if self.insertion is not None:
            for name in (*self.insertion.late, *self.insertion.spread):
                if (runs := self.suite.sizes[name].seeds) < self.insertion.seeds:
                    raise ValueError(f"insertion.seeds: {self.insertion.seeds} runs of {name}, which has {runs} in suite.sizes")

    def _suite_models(self) -> Iterator[tuple[str, list[Name]]]:
        """The keys that name models of the suite."""
        yield "retrieval.models", self.retrieval.models
        yield from (("figures.fig1", self.figures.fig1), ("figures.fig2", self.figures.fig2))
        if self.insertion is not None:
            yield from (("insertion.late", self.insertion.late), ("insertion.spread", self.insertion.spread))
        yield from ((f"variants.{name}.sizes", list(variant.sizes)) for name, variant in self.variants.items())

    def _branches(self) -> Iterator[tuple[str, float]]:
        """The shares of training from whose beginning an arm continues a baseline."""
        yield from ((f"arms.{name}", arm.share) for name, arm in self.arms.items())
        if self.insertion is not None and self.insertion.late:
            yield "insertion", self.insertion.share

    def branches(self) -> list[float]:
        """The shares of training at which a baseline keeps what an arm needs to continue it."""
        return sorted({round(1 - share, 9) for _, share in self._branches()})

    def runs(self) -> tuple[ContinuedRuns, dict[str, list[str]]]:
        """Every continued run, and the names of the runs of each family."""
        return all_runs(self.continued, self.interventions)

    def taking_part(self, study: Study) -> list[str]:
        """The pretrained models that take part in a study, smallest first."""
        names = [name for name, model in self.pretrained.items() if study in model.studies]
        return sorted(names, key=lambda name: (self.pretrained[name].parameters, name))


def check_names(settings: Settings) -> None:
    """Raise ValueError unless a name says what it is: a model, an arm, a size and a corpus never share one."""
    for name in TAKEN:
        if name in settings.arms:
            raise ValueError(f"arms.{name}: this name is taken by a training run that is not rewritten; choose another one")
    sections: dict[str, Iterable[str]] = {
        "suite.sizes": settings.suite.sizes,
        "arms": settings.arms,
        "pretrained": settings.pretrained,
        "checkpoints": settings.checkpoints,
        "entity_maps": settings.entity_maps,
        "corpora": settings.corpora,
        "interventions": settings.interventions,
    }
    for (first, names), (second, others) in combinations(sections.items(), 2):
        if (first, second) != ("pretrained", "checkpoints") and (shared := sorted(set(names) & set(others))):
            raise ValueError(f"{second}.{shared[0]}: {first} has this name too; choose another one")
    for name in set(settings.pretrained) & set(settings.checkpoints):  # one model, at its end and over its training
        own, family = settings.pretrained[name].parameters, settings.checkpoints[name].parameters
        if own != family:
            raise ValueError(f"checkpoints.{name}.parameters: {family}, but {own} in pretrained; one model has one size")


def load_settings(config: dict[str, Any], files: Sequence[str | Path] = ()) -> Settings:
    """Validate a configuration that was read from `files`, the last one counting most.

    The first mistake is an InputError of one line that names its key, what would be right, and its place in the files.
    """
    check_files(files)
    try:
        return Settings.model_validate(config)
    except ValidationError as error:
        mistakes = error.errors()
        first = mistakes[0]
        key = [str(part) for part in first["loc"] if part != "[key]"]
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        raise setting_error(".".join(key), _in_words(dict(first)) + more, files) from None


def setting_error(key: str, message: str, files: Sequence[str | Path] = ()) -> InputError:
    """The one line about a setting: its key (none where the message begins with one), the message, its place in the files."""
    field = re.match(r"[a-z_]+(\.[\w.-]+)?: ", message)  # of the section, where a check of the section found the mistake
    stated = f"{key}{'.' if field else ': '}{message}" if key else message
    place = where(stated.partition(": ")[0], files)
    return InputError(f"config: {stated}{f' [{place}]' if place else ''}")


def _in_words(mistake: dict[str, Any]) -> str:
    """What is wrong, and what would be right."""
    given = mistake["input"]
    if mistake["type"] == "extra_forbidden":
        return "unknown key"
    if mistake["type"] == "string_pattern_mismatch" and mistake["ctx"]["pattern"] == f"^{NAME}$":
        return f"{NAME_IN_WORDS}, not {given!r}"
    if mistake["type"] in ("model_type", "dict_type"):
        return f"keys with their values belong here, not {'nothing' if given is None else repr(given)}"
    if mistake["type"] == "value_error":
        return str(mistake["msg"]).removeprefix("Value error, ")
    text = (
        f"{mistake['msg']}, not {given!r}"
        if isinstance(given, str | int | float) and mistake["type"] != "missing"
        else str(mistake["msg"])
    )
    return f"{text} ({QUOTE})" if isinstance(given, bool) else text
