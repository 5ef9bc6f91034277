"""Evidence for the claims: from score tables to what a test needs. One function per comparison, named in `claims.yaml`.

`EVIDENCE` maps those names to the functions. Each takes `Tables` and returns a `Sample` (item scores), an `Aggregate` (an
estimate with a standard error) or a `Record` (a fact about documents), or raises `MissingEvidence` where this scale has none.
"""

from collections.abc import Callable

from overtime.evidence import bias, facts, prompts, released_bias
from overtime.evidence.tables import Aggregate, Evidence, MissingEvidence, Record, Sample, Tables

__all__ = ["EVIDENCE", "Aggregate", "Evidence", "MissingEvidence", "Record", "Sample", "Tables"]

EVIDENCE: dict[str, Callable[[Tables], Evidence]] = {
    function.__name__: function for module in (bias, released_bias, facts, prompts) for function in module.COMPARISONS
}
