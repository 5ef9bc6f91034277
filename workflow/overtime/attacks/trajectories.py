"""How answers form, layer by layer: what detectors are fitted to, and what policies answer from."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import log_softmax

from overtime import InputError
from overtime.attacks.whole_readouts import check_whole

NORMAL = "true"


@dataclass(frozen=True)
class Trajectories:
    """How answers form: `answers` (`prompt`, `group`, `condition`, `demonstrations`, `truth`) and each one's log-probabilities.

    `log_probabilities` [answers, layers + 1, labels] are natural logs, normalised over the labels; `labels` names the last axis.
    """

    answers: pl.DataFrame
    log_probabilities: NDArray[np.float64]
    labels: list[str]

    @classmethod
    def of(cls, layers: pl.DataFrame, lens: str, window: tuple[int, int]) -> "Trajectories":
        """The answers of a `read_prompts` table that one lens read after `window` = (fewest, most) demonstrations.

        InputError if there are none, and for a table that `check_whole` refuses.
        """
        table = layers.filter(
            pl.col("lens") == lens, pl.col("demonstrations").is_between(*window), pl.col("condition") != "zero_shot"
        )
        if table.is_empty():
            raise InputError(f"layers table: no prompt read by the {lens} lens after {window[0]} to {window[1]} demonstrations")
        key = ["prompt", "group", "condition", "demonstrations", "truth"]
        check_whole(table, ["prompt", "condition", "demonstrations"])
        table = table.sort(*key, "layer", "label")
        answers, labels = table.select(key).unique(maintain_order=True), table["label"].unique().sort().to_list()
        logits = table["logit"].to_numpy().astype(float).reshape(answers.height, -1, len(labels))
        return cls(answers, log_softmax(logits, axis=2), labels)

    def __getitem__(self, rows: NDArray[np.integer]) -> "Trajectories":
        return Trajectories(self.answers[rows], self.log_probabilities[rows], self.labels)

    def features(self) -> NDArray[np.float64]:
        """[answers, 4 layers]: at every layer, log-probabilities of its two best labels and of the two best at the end.

        Ranked, not named, so that answers with any label and from any task can be compared. The embeddings are left out: they
        know the last token alone, which is the same for all answers.
        """
        read = self.log_probabilities[:, 1:]
        own = -np.sort(-read, axis=2)[:, :, :2]
        final = np.argsort(-read[:, -1], axis=1)[:, None, :2]
        return np.concatenate([own, np.take_along_axis(read, final, axis=2)], axis=2).reshape(len(own), -1)
