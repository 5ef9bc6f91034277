"""Settings of what pretrained models are asked: question sets, and the published entity maps in which documents are counted."""

from typing import Literal

from pydantic import Field, model_validator

from overtime import ARTICLE_COUNT, FEW_COUNTS
from overtime.pipeline.settings_types import Count, Named, Section

FROM_ARTICLES = ("encyclopedia", "birth_years")  # formats of sets that are made from the encyclopedia's articles
BUILT_IN = ("own", *FROM_ARTICLES)  # formats whose source is known


class Linked(Section):
    hub: str = Field(description="data set on the Hub that holds the questions' entities")
    file: str = Field(description="JSON Lines in the order of the question set")


class QuestionSet(Section):
    format: Literal["own", "encyclopedia", "birth_years", "squad", "nq_open", "trivia_qa", "popqa"] = Field(
        description="form of the data; own: the questions in workflow/overtime/resources/facts; encyclopedia: what the packaged "
        "encyclopedia answers; birth_years: when the people in it were born, closed book only"
    )
    dataset: str | None = Field(default=None, description="row of config/sources.csv that holds the set")
    hub: str | None = Field(default=None, description="data set on the Hub, instead of dataset; with split")
    subset: str | None = Field(default=None, description="configuration of the data set on the Hub")
    split: str | None = Field(default=None, description="split on the Hub, such as validation")
    sample: Count | None = Field(
        default=None, description="questions asked, drawn at random (encyclopedia: a third from each bin of counts); null: all"
    )
    entities: Linked | None = Field(default=None, description="linked questions, to be counted in entity maps; null: no counts")
    annotations: str | None = Field(
        default=None, description="file of Natural Questions' development set, for the human line and the gold passages"
    )

    @model_validator(mode="after")
    def one_source(self) -> "QuestionSet":
        if (self.dataset is None) + (self.hub is None) != 1 + (self.format in BUILT_IN):
            raise ValueError(f"give either dataset or hub, and neither for the formats {', '.join(BUILT_IN)}")
        if (self.hub is None) != (self.split is None):
            raise ValueError("hub and split go together")
        if self.format in FROM_ARTICLES and (self.entities or self.annotations):
            raise ValueError(f"entities and annotations are of published sets; the format {self.format} has neither")
        if self.format == "encyclopedia" and self.sample is not None and self.sample % (bins := len(FEW_COUNTS[ARTICLE_COUNT])):
            raise ValueError(f"sample: {self.sample} is not the same number from each of {bins} bins of counts")
        return self


class Questions(Section):
    sets: Named[QuestionSet] = Field(description="question sets for pretrained models")
    answer_tokens: Count = Field(description="tokens of an answer, at most")
    exclude_countries: bool = Field(description="leave countries out of the question entities when documents are counted")
    seed: int = Field(ge=0, description="seed of the samples and of the wrong passages")

    @model_validator(mode="after")
    def distinct(self) -> "Questions":
        if "suite" in self.sets:
            raise ValueError("a set cannot be called suite, which is the generated one")
        return self


class PublishedMap(Section):
    hub: str = Field(description="data set on the Hub that holds the entity map")
    file: str = Field(description="npz file of entity -> indices of documents")
    bytes: Count = Field(description="size of the file; disk space follows from it")
