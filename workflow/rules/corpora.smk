# What the chapters on corpora of the user's own share: their shards, and functions of settings for inputs and params.

INSERTIONS = sorted({name for corpus in settings.corpora.values() for name in corpus.insert})
QUESTIONED = [name for name, corpus in settings.corpora.items() if corpus.questions]
COMPARED = [name for name, run in settings.continued.items() if run.control]
COUNTED = [name for name, corpus in settings.corpora.items() if corpus.names or corpus.questions]


def shards(corpus, text="original"):
    """The shards of a corpus as they are, rewritten in a mode, or with an insertion."""
    if text == "original":
        return [str(path) for path in SHARDS[corpus].values()]
    folder = "<results>/rewritten" if text in MODES else "<results>/inserted"
    return [f"{folder}/{corpus}/{text}/{shard}" for shard in SHARDS[corpus]]


def shard_reports(corpus, *tasks):
    """Reports of the jobs that do these tasks to a corpus, one per shard."""
    return [f"<results>/corpora/{corpus}/{task}/{shard}.parquet" for task in tasks for shard in SHARDS[corpus]]


def corpus_tasks(corpus):
    """What the settings ask for; at least to read it through."""
    options = settings.corpora[corpus]
    tasks = [f"rewrite/{mode}" for mode in options.rewrite] + ["count"] * (corpus in COUNTED)
    insert = [f"insert/{name}" for name in options.insert]
    return tasks + (["read", *insert] if insert or not tasks else [])


def name_tables(wildcards):
    """Where the names come from that are looked for in a corpus."""
    return settings.corpora[wildcards.corpus].model_dump(include={"names", "questions"})


def start(wildcards):
    """The folder of the model that a continued run begins with: the user's own, or one that is downloaded."""
    model = settings.continued[wildcards.run].model
    return model if Path(model).is_dir() else "<results>/starts/{run}"


def own_revision(wildcards):
    """The checkpoint within a folder of the user's own; what is downloaded is one already."""
    run = settings.continued[wildcards.run]
    return run.revision if Path(run.model).is_dir() else None


def run_shards(wildcards):
    """The text of a continued run."""
    run = settings.continued[wildcards.run]
    return shards(run.corpus, run.text)


def asked_table(wildcards):
    """The questions on the facts that were inserted into the text of a run."""
    run = settings.continued[wildcards.asked]
    return settings.corpora[run.corpus].insert[run.text].asked
