"""What a model would answer at every layer to the prompts of the attack study, read at every answer cue."""

import numpy as np
import polars as pl
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from overtime.attacks.few_shot_prompts import Prompt
from overtime.models.label_tokens import label_tokens
from overtime.models.lens import CuedText, lenses_of, read_cues
from overtime.models.tuned_lens import Translators


def read_prompts(
    model: PreTrainedModel, tokenizer: Tokenizer, prompts: list[Prompt], labels: list[str], translators: Translators | None = None
) -> pl.DataFrame:
    """Logits of the labels at every cue of every prompt, by the logit lens and, given `translators`, by the tuned lens as well.

    Returns `prompt`, `group`, `condition`, `demonstrations` (labels seen before the cue), `truth`, `lens`, `layer`, `label`,
    `logit` and `top`: whether the label is the most likely token of the whole vocabulary, read at the last cue, null elsewhere.
    Raises the errors of `overtime.models.lens.read_layers`, and InputError for a cue inside a token.
    """
    tokens = label_tokens(tokenizer, labels)
    texts = [CuedText(f"prompt {prompt.prompt} ({prompt.condition})", prompt.text, prompt.cues) for prompt in prompts]
    readout = read_cues(model, tokenizer, texts, tokens, lenses_of(model, translators), choose=True)
    rows = [
        {"prompt": prompt.prompt, "group": prompt.group, "condition": prompt.condition, "demonstrations": seen, "truth": truth}
        for prompt in prompts
        for seen, truth in zip(prompt.demonstrations, prompt.truths, strict=True)
    ]
    chosen = pl.Series((readout.choices[..., None] == np.array(tokens)).ravel())
    was_read = pl.Series(np.repeat(readout.choices.ravel() >= 0, len(tokens)))
    return readout.table(pl.DataFrame(rows), labels).with_columns(top=pl.when(was_read).then(chosen))
