"""Finding known words in text at hundreds of MB/s: one compiled pass that hashes every word and looks it up.

The scanner reads one byte per character (Latin-1; anything beyond it counts as a boundary), so positions are those of the Python
string whatever its script. It may report a word too many (beside a character it cannot see, or on a hash collision) but never one
too few: the caller looks every candidate up by its exact spelling and checks its boundaries (`replacement.replace`).
"""

from collections.abc import Iterable

import numpy as np
from numba import njit

from overtime.corpora.languages import Counts

# FNV-1a, 64 bits (Fowler, Noll, Vo).
_OFFSET, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_HYPHEN = ord("-")
_IN_WORD = np.array([chr(code).isalnum() for code in range(256)])
# Signs of code as in `not_prose.SIGNS`: one character, the first of two, or what begins a line.
_SIGN = np.array([chr(code) in "`\\$<=\n" for code in range(256)])
_LINE_FEED, _FIRST_OF_TWO, _SECOND_OF_TWO = ord("\n"), (ord("<"), ord("=")), (ord("/"), ord("!"), ord('"'), ord("'"))
_UPPER = np.array([65 <= code <= 90 for code in range(256)])
_BEGINS_CODE = np.array([chr(code) in "abcdefghijklmnopqrstuvwxyz_ \t#>$" for code in range(256)])
_SOUGHT, _ENGLISH, _FOREIGN = np.uint8(1), np.uint8(2), np.uint8(4)


_Seen = tuple[int, int, int, int, int, int, bool]


class WordScanner:
    """Finds where any of a set of words (letters within Latin-1) may occur as a whole word or as a part of a hyphenated one.

    Counts the `english` and `foreign` words on its way; spellings beyond Latin-1 are passed over.
    """

    def __init__(self, words: Iterable[str], english: Iterable[str] = (), foreign: Iterable[str] = ()) -> None:
        kinds: dict[int, int] = {}
        for one, spellings in ((_SOUGHT, words), (_ENGLISH, english), (_FOREIGN, foreign)):
            for word in spellings:
                codes = word.encode("latin-1", "ignore")
                if len(codes) == len(word):
                    value = int(_hash(np.frombuffer(codes, np.uint8)))
                    kinds[value] = kinds.get(value, 0) | int(one)
        # A power of two, for the mask, and at most a quarter full: every search meets an empty slot soon.
        self._slots = np.zeros(1 << (4 * len(kinds)).bit_length(), np.uint64)
        self._kinds = np.zeros(len(self._slots), np.uint8)
        for value, kind in kinds.items():
            slot = value % len(self._slots)
            while self._kinds[slot]:
                slot = (slot + 1) % len(self._slots)
            self._slots[slot], self._kinds[slot] = value, kind
        self._spans = np.empty((1024, 2), np.int64)

    def find(self, text: str) -> tuple[list[list[int]], Counts]:
        """Start and end of every candidate, in order, and what else was seen."""
        codes = np.frombuffer(text.encode("latin-1", "replace") + b" ", np.uint8)
        # A word and what follows it take two characters at least.
        if len(codes) > 2 * len(self._spans):
            self._spans = np.empty((len(codes), 2), np.int64)
        found, words, english, foreign, first, last, signs = _scan(codes, self._slots, self._kinds, self._spans)
        spans: list[list[int]] = self._spans[:found].tolist()
        return spans, Counts(words, english, foreign, first, last, signs)


@njit(cache=True)
def _hash(codes: np.ndarray) -> np.uint64:
    value = _OFFSET
    for code in codes:
        value = (value ^ np.uint64(code)) * _PRIME
    return value


@njit(cache=True)
def _kind(value: np.uint64, slots: np.ndarray, kinds: np.ndarray) -> np.uint8:
    mask = np.uint64(len(slots) - 1)
    slot = value & mask
    while kinds[slot] != 0 and slots[slot] != value:
        slot = (slot + np.uint64(1)) & mask
    kind: np.uint8 = kinds[slot]
    return kind


@njit(cache=True)
def _scan(codes: np.ndarray, slots: np.ndarray, kinds: np.ndarray, spans: np.ndarray) -> _Seen:
    """Fill `spans` with start and end of every word that is sought or has a part that is.

    `slots` is an open-addressing table of hashes, `kinds` what they stand for; `codes` ends with a space. Returns the number of
    spans, of all words, of English and of foreign ones, where the first and the last foreign one start, and whether there are
    signs of code.
    """
    found = words = english = foreign = last = 0
    first, signs = -1, _begins_code(codes, 0)
    start, part, value = -1, -1, _OFFSET
    for position in range(len(codes)):
        code = codes[position]
        if _IN_WORD[code]:
            if start < 0:
                start, part, value = position, position, _OFFSET
            value = (value ^ np.uint64(code)) * _PRIME
            continue
        if code == _HYPHEN and start >= 0 and _IN_WORD[codes[position + 1]]:
            part = position + 1
            value = (value ^ np.uint64(code)) * _PRIME
            continue
        if start >= 0:
            words += 1
            kind = _kind(value, slots, kinds)
            english += (kind & _ENGLISH) != 0
            if (kind & _FOREIGN) != 0:
                first, last = first if foreign else start, start
                foreign += 1
            if (kind & _SOUGHT) != 0 or (part > start and _has_part(codes[start:position], slots, kinds)):
                spans[found, 0], spans[found, 1] = start, position
                found += 1
            start = -1
        if _SIGN[code] and not signs:
            signs = _is_sign(codes, position)
    return found, words, english, foreign, first, last, signs


@njit(cache=True)
def _is_sign(codes: np.ndarray, position: int) -> bool:
    code = codes[position]
    following = codes[min(position + 1, len(codes) - 1)]
    if code == _LINE_FEED:
        return bool(_begins_code(codes, position + 1))
    return code not in _FIRST_OF_TWO or following in _SECOND_OF_TWO


@njit(cache=True)
def _begins_code(codes: np.ndarray, position: int) -> bool:
    """Whether a line that begins here may be one of code: in lower case, indented, or with two capitals."""
    if position + 1 >= len(codes):
        return False
    return bool(_BEGINS_CODE[codes[position]] or (_UPPER[codes[position]] and _UPPER[codes[position + 1]]))


@njit(cache=True)
def _has_part(word: np.ndarray, slots: np.ndarray, kinds: np.ndarray) -> bool:
    """Whether a part of a hyphenated word is sought."""
    start = 0
    for end in range(len(word) + 1):
        if end == len(word) or word[end] == _HYPHEN:
            if (_kind(_hash(word[start:end]), slots, kinds) & _SOUGHT) != 0:
                return True
            start = end + 1
    return False
