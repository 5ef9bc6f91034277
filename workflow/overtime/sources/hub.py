"""The Hugging Face Hub: checkpoints, files and tables fetched whole or not at all.

Faults that pass (too many requests, server errors, timeouts, cut or damaged transfers) are waited out with growing pauses; any
other is one InputError that says what to do, an UnreachableError if it is the network's. No token ever appears in one.
"""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from glob import escape
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeVar, cast

import httpx2
import polars as pl
from huggingface_hub import HfApi, constants, get_token, snapshot_download, try_to_load_from_cache
from huggingface_hub.hf_api import DatasetInfo, ModelInfo, RepoSibling
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from overtime import InputError
from overtime.files import atomic, impostor, scratch, sha256
from overtime.sources.hub_faults import HUB_ATTEMPTS, DamagedError, advise, may_pass, origin, out_of_reach
from overtime.sources.places import UnreachableError

Kind = Literal["model", "dataset"]
Repository = ModelInfo | DatasetInfo
T = TypeVar("T")

HUB_BACKOFF = wait_exponential(multiplier=1, max=60)  # seconds; doubles each time
LONGEST_WAIT = 300  # seconds, when the server asks for a pause: the Hub counts requests in windows of this length
HUB_TIMEOUT = 60  # seconds without an answer
SUFFIXES = (".json", ".txt", ".model", ".jinja")  # of configurations and tokenizers


def download(source: str, revision: str | None = None, folder: Path | None = None) -> Path:
    """Fetch one checkpoint of a model: configuration, tokenizer, safetensors where they exist, else `pytorch_model*.bin`.

    It comes to `folder`, which is then complete or absent, or to the Hub's cache, and its place is returned. `revision` is a
    branch, tag or commit (default: main). Sizes and SHA-256 of all files are those that the Hub states.
    """
    with _explained(source, revision, "model", folder):
        if folder is None and constants.is_offline_mode():
            cached = try_to_load_from_cache(source, "config.json", revision=revision)
            if isinstance(cached, str):
                return Path(cached).parent
        repository = _look_up(source, revision, "model")
        files = _checkpoint_files(repository)
        if folder is None:
            return _fetch(repository, files, revision=revision)
        with atomic(folder) as temporary:
            _fetch(repository, files, temporary)
        return folder


def sweep(source: str, revisions: list[str], folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield (revision, its folder) for checkpoints of a model: one is in use while the next is fetched, and deleted after use."""

    def fetch(revision: str) -> Future[Path]:
        return background.submit(download, source, revision, folder / revision)

    try:
        with ThreadPoolExecutor(max_workers=1) as background:
            fetched = fetch(revisions[0])
            for revision, following in zip_longest(revisions, revisions[1:]):
                place = fetched.result()
                if following is not None:
                    fetched = fetch(following)
                yield revision, place
                shutil.rmtree(place)
    finally:  # also when the caller stops early
        for revision in revisions:
            shutil.rmtree(folder / revision, ignore_errors=True)


def fetch_file(source: str, path: str, destination: str | Path, revision: str | None = None, kind: Kind = "dataset") -> None:
    """Fetch the file `path` of a repository to `destination`, complete or not at all."""
    with _explained(source, revision, kind, destination):
        repository = _look_up(source, revision, kind)
        files = [file for file in _files(repository) if file.rfilename == path]
        if not files:
            raise InputError(f"{source}@{revision or 'main'}: no file {path} at {_page(source, kind)}")
        with atomic(destination) as temporary, scratch(temporary) as folder:
            (_fetch(repository, files, Path(folder)) / path).replace(temporary)


def read_dataset(source: str, subset: str | None, split: str, revision: str | None = None) -> pl.DataFrame:
    """One split of a dataset (of its configuration `subset`) as a table; only the files of that split are fetched."""
    from datasets import load_dataset_builder  # takes a second, and most steps read no dataset
    from datasets.data_files import DataFilesDict, DataFilesList

    with _explained(source, revision, "dataset"):
        repository = _look_up(source, revision, "dataset")
        builder = _patiently(lambda: load_dataset_builder(source, subset, revision=repository.sha))  # a branch may move meanwhile
        splits = builder.config.data_files
        if split not in splits:
            raise InputError(f"{source}@{revision or 'main'}: no split {split}; it has {', '.join(splits)}")
        names = [address.partition(f"@{repository.sha}/")[2] for address in splits[split]]
        with TemporaryDirectory() as folder:
            _fetch(repository, [file for file in _files(repository) if file.rfilename in names], Path(folder))
            places = [str(Path(folder, name)) for name in names]
            builder.config.data_files = DataFilesDict({split: DataFilesList(places, [(place,) for place in places])})
            table: pl.DataFrame = builder.as_streaming_dataset(split).to_polars()
            return table


def _look_up(source: str, revision: str | None, kind: Kind) -> Repository:
    """The commit behind a revision and its files; fails if they may not be read."""

    def ask() -> Repository:
        api = HfApi()
        repository = api.repo_info(source, revision=revision, repo_type=kind, files_metadata=True, timeout=HUB_TIMEOUT)
        if repository.gated:  # what files there are is told to everyone
            api.auth_check(source, repo_type=kind)
        return cast(Repository, repository)  # as is every `Kind`

    return _patiently(ask)


def _files(repository: Repository) -> list[RepoSibling]:
    return cast(list[RepoSibling], repository.siblings)  # `_look_up` asks for them


def _checkpoint_files(repository: Repository) -> list[RepoSibling]:
    files = [file for file in _files(repository) if "/" not in file.rfilename]
    for start, end in (("model", ".safetensors"), ("pytorch_model", ".bin")):
        if weights := [file for file in files if file.rfilename.startswith(start) and file.rfilename.endswith(end)]:
            return weights + [file for file in files if file.rfilename.endswith(SUFFIXES)]
    raise InputError(f"{repository.id}@{repository.sha}: no weights; model*.safetensors or pytorch_model*.bin are needed")


def _fetch(repository: Repository, files: list[RepoSibling], folder: Path | None = None, revision: str | None = None) -> Path:
    """Fetch and verify files of a repository; return where they lie.

    That is `folder`, or the Hub's cache, which then notes the commit as that of `revision`.
    """
    kind = "model" if isinstance(repository, ModelInfo) else "dataset"
    names = [escape(file.rfilename) for file in files]  # they are taken for globs
    commit = repository.sha if folder else revision

    def attempt() -> Path:
        place = snapshot_download(repository.id, repo_type=kind, revision=commit, local_dir=folder, allow_patterns=names)
        for file in files:
            _verify(Path(place, file.rfilename), file)
        return Path(place)

    place = _patiently(attempt)
    if folder is not None:
        shutil.rmtree(folder / ".cache")  # notes of huggingface_hub for taking up a download again
    return place


def _verify(path: Path, file: RepoSibling) -> None:
    """Compare a file with what the Hub states; one that differs is deleted, or the next attempt would find it in the cache."""
    found = path.stat().st_size if path.exists() else 0
    if found == file.size and (file.lfs is None or sha256(path) == file.lfs.sha256):
        return
    kind = impostor(path) if found else None
    path.resolve().unlink(missing_ok=True)  # in the cache, a link to the file
    problem = f"with {found} of {file.size} bytes" if found != file.size else "with bytes of another SHA-256 than the Hub states"
    raise DamagedError(f"{file.rfilename} arrived {f'as {kind}' if kind else problem}")


def _patiently(action: Callable[[], T]) -> T:
    """Do it, again and again as long as its fault may pass."""
    return Retrying(stop=stop_after_attempt(HUB_ATTEMPTS), wait=_pause, retry=retry_if_exception(may_pass), reraise=True)(action)


def _pause(state: RetryCallState) -> float:
    """Growing, and at least as long as the server asks for."""
    error = state.outcome.exception() if state.outcome is not None else None
    response = getattr(origin(error), "response", None) if error is not None else None
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    return max(HUB_BACKOFF(state), min(int(asked), LONGEST_WAIT) if asked.isdigit() else 0)


@contextmanager
def _explained(source: str, revision: str | None, kind: Kind, place: str | Path | None = None) -> Iterator[None]:
    """Turn any fault into one line; the original, which may quote a server's answer, is not shown."""
    try:
        yield
    except InputError:  # a ValueError too
        raise
    except (OSError, ValueError, RuntimeError, httpx2.HTTPError) as error:
        cause, token = origin(error), get_token()
        advice = advise(cause, _page(source, kind), place or constants.HF_HOME)
        fault = UnreachableError if out_of_reach(cause) else InputError
        raise fault(f"{source}@{revision or 'main'}: {advice.replace(token, '***') if token else advice}") from None


def _page(source: str, kind: Kind) -> str:
    return f"https://huggingface.co/{'datasets/' if kind == 'dataset' else ''}{source}"
