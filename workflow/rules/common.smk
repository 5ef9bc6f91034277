# What several chapters share: the runs of the suite, the pretrained models, and functions of settings for inputs and params.

# Every training run from scratch: (model, seed). Arms continue each of them.
RUNS = [(model, seed) for model, size in settings.suite.sizes.items() for seed in range(size.seeds)]
ARMS = ["baseline", *settings.arms]
PARAMETERS = {name: model.parameters for name, model in settings.pretrained.items()}  # in billions
INSERTIONS = sorted({name for corpus in settings.corpora.values() for name in corpus.insert})
QUESTIONED = [name for name, corpus in settings.corpora.items() if corpus.questions]
COUNTED = [name for name, corpus in settings.corpora.items() if corpus.names or corpus.questions]
CORPORA = {name: model.corpus for name, model in settings.pretrained.items()}
SETS = list(settings.questions.sets)
BINS = [{"factor": 2, "fewest": 10}, {"factor": 4, "fewest": 10}]  # of document counts: the suite's, those of question sets
WHEELS = [name for name, model in settings.pretrained.items() if model.hub is None]


def pretrained(study):
    """The pretrained models that take part in a study."""
    return [name for name, model in settings.pretrained.items() if study in model.studies]


def inference(wildcards):
    """How a pretrained model is loaded."""
    return {"dtype": settings.pretrained[wildcards.model].dtype, "device": settings.device}


def gpus(wildcards):
    """GPUs that a step asks the scheduler for."""
    return 0 if settings.device == "cpu" else costs.gpus(PARAMETERS[wildcards.model], settings.gpu_memory_gb)


def host_memory(wildcards):
    """Megabytes of main memory for a step that loads a model."""
    return costs.memory_mb(PARAMETERS[wildcards.model], gpus(wildcards))


def weights(wildcards):
    """Megabytes of a model's published weights."""
    return costs.download_mb(PARAMETERS[wildcards.model])


def minutes(tokens=0, downloads=0):
    """Run time of a step that puts so many tokens through a model, or downloads it."""
    return lambda wildcards: costs.minutes(PARAMETERS[wildcards.model], gpus(wildcards), tokens, downloads)


def recipe(wildcards):
    """How a size is trained; `branch` lists the shares of training from which an arm continues."""
    shares = [arm.share for arm in settings.arms.values()] + [settings.insertion.share]
    return {
        **settings.suite.model_dump(exclude={"sizes"}),
        **settings.suite.sizes[wildcards.model].model_dump(exclude={"seeds"}),
        "branch": sorted({round(1 - share, 9) for share in shares}),
    }


def bias_scores(task, models=tuple(settings.suite.sizes)):
    """Score tables of all arms and seeds of some models."""
    pattern = f"<results>/scores/{task}/{{model}}/{{arm}}/seed{{seed}}.parquet"
    return [pattern.format(model=model, arm=arm, seed=seed) for model, seed in RUNS if model in models for arm in ARMS]


def one_of(names):
    """Wildcard constraint: one of these names, or nothing where there is none."""
    return "|".join(map(re.escape, names)) or "(?!)"


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


def run_gpus(wildcards):
    """GPUs of a continued run: one for each process."""
    return settings.continued[wildcards.run].processes if settings.device != "cpu" and settings.gpu_memory_gb else 0


def run_minutes(wildcards):
    """Run time of a continued run, three times that of a forward pass over its tokens; a day where these are all of a corpus."""
    run = settings.continued[wildcards.run]
    return costs.minutes(run.parameters, run_gpus(wildcards), 3 * run.tokens) if run.tokens else 24 * 60


def question_source(wildcards):
    """Where a question set comes from: the project's own file, a fetched data set or a fetched split of one on the Hub."""
    questions = settings.questions.sets[wildcards.set]
    if questions.format == "own":
        return RESOURCES / "facts/questions.csv"
    return f"<results>/public/{questions.dataset}" if questions.dataset else "<results>/sources/questions/{set}.parquet"


def question_entities(wildcards):
    """The linked questions of a set, if it has any."""
    return "<results>/sources/questions/{set}.jsonl" if settings.questions.sets[wildcards.set].entities else []


def question_annotations(wildcards):
    """The annotated questions of a set, if it has any."""
    return settings.questions.sets[wildcards.set].annotations or []


def counted_sets():
    """Count tables of all sets with linked questions, in the corpora of the models that are asked them."""
    corpora = dict.fromkeys(settings.pretrained[model].corpus for model in pretrained("questions"))
    linked = [name for name, questions in settings.questions.sets.items() if questions.entities]
    return [f"<results>/counts/{name}/{corpus}.parquet" for name in linked for corpus in corpora if corpus]


def map_on_disk(wildcards):
    """Megabytes of a published entity map."""
    return round(settings.entity_maps[wildcards.corpus].bytes / 1e6)
