# What several chapters share: the runs of the suite, the pretrained models, and functions of settings for inputs and params.

# Every training run from scratch: (model, seed). Arms continue each of them.
RUNS = [(model, seed) for model, size in settings.suite.sizes.items() for seed in range(size.seeds)]
ARMS = ["baseline", *settings.arms]
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
