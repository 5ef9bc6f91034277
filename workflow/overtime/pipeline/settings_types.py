"""What every section of the settings is made of."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

# The one grammar of names, in settings and in the wildcards of rules alike. Lower case, since some file systems know no other.
NAME = r"[a-z0-9][a-z0-9._-]*"
NAME_IN_WORDS = "a name is made of lower-case letters, digits and . _ - and begins with a letter or digit"

Name = Annotated[str, Field(pattern=f"^{NAME}$")]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(gt=0)]
Precision = Literal["auto", "float32", "bfloat16", "float16"]


# What no XML, and so no drawing, can hold.
CONTROL = re.compile(r"[^\t\n\r -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Section(BaseModel):
    """A part of the configuration.

    Unknown keys, numbers in quotation marks, infinite ones, repeated entries and control characters in texts are refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _entries_that_can_be_meant(self) -> "Section":
        for name in type(self).model_fields:
            entries = getattr(self, name)
            for text in entries if isinstance(entries, list) else [entries]:
                if isinstance(text, str) and (found := CONTROL.search(text)):
                    raise ValueError(f"{name}: {text!r} holds the control character {found[0]!r}; leave it out")
            if isinstance(entries, list) and (twice := [entry for entry in entries if entries.count(entry) > 1]):
                raise ValueError(f"{name}: {twice[0]!r} is listed twice; once is enough")
        return self


def without_nulls(entries: object) -> object:
    """The entries of a mapping that are not null: in a file on top of another one, null takes an entry away."""
    return {name: entry for name, entry in entries.items() if entry is not None} if isinstance(entries, Mapping) else entries


Entry = TypeVar("Entry")
Named = Annotated[dict[Name, Entry], BeforeValidator(without_nulls)]
