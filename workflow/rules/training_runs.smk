# What models are trained further on, for the rules in training_continued, bias_continued and facts_continued.
#
# Runs that differ in text and stretch alone are a family: they begin with one model, and the original is cut once for all.

RUNS, FAMILIES = settings.runs()  # by name; the names of each family's runs
FAMILY = {run: family for family, names in FAMILIES.items() for run in names}
SCORED = [name for name, run in RUNS.items() if run.bias]
KEPT = [name for name, run in RUNS.items() if run.keep]
STRETCHED = {family: 1 + max(RUNS[name].stretch or 0 for name in names) for family, names in FAMILIES.items()}


def continued_run(wildcards):
    """The settings of a run, or of one of a family."""
    return RUNS[wildcards.get("run") or FAMILIES[wildcards.family][0]]


def run_key(wildcards):
    """Where the settings of a run, or of a family, stand."""
    family = wildcards.get("family") or FAMILY[wildcards.run]
    section = "interventions" if family in settings.interventions else "continued"
    return f"{section}.{family if family in settings.interventions else wildcards.get('run') or family}"


def start(wildcards):
    """The folder of the model that a continued run begins with: of the settings, the user's own, or one that is downloaded."""
    model = continued_run(wildcards).model
    if model in settings.pretrained:
        return f"<results>/pretrained/{model}"
    return model if Path(model).is_dir() else f"<results>/starts/{wildcards.get('family') or FAMILY[wildcards.run]}"


def start_revision(wildcards):
    """The checkpoint within a folder of the user's own; what is downloaded is one already."""
    run = continued_run(wildcards)
    return run.revision if start(wildcards) == run.model else None


def run_shards(wildcards):
    """The text of a continued run: the shards of its corpus as they are, rewritten, or with an insertion."""
    run = RUNS[wildcards.run]
    if run.text == "original":
        return [str(path) for path in SHARDS[run.corpus].values()]
    folder = "<results>/rewritten" if settings.corpora[run.corpus].rewriting(run.text) else "<results>/inserted"
    return [f"{folder}/{run.corpus}/{run.text}/{shard}" for shard in SHARDS[run.corpus]]


def run_gpus(wildcards):
    """GPUs of a continued run: one for each process."""
    return continued_run(wildcards).processes if settings.device != "cpu" and settings.gpu_memory_gb else 0


def run_minutes(wildcards):
    """Run time of a continued run, three times that of a forward pass over its tokens; a day where these are all of a corpus."""
    run = RUNS[wildcards.run]
    return costs.minutes(run.parameters, run_gpus(wildcards), 3 * run.tokens) if run.tokens else 24 * 60


def described_run(name):
    """What a run is, for tables: its family, text and stretch, and how the text is rewritten (null: not at all)."""
    run = RUNS[name]
    rewritten = settings.corpora[run.corpus].rewriting(run.text)
    how = {"rewrite": rewritten and rewritten.mode, "probability": rewritten and rewritten.probability}
    place = {"family": FAMILY[name], "text": run.text, "stretch": run.stretch or 0}
    return {"run": name, **place, **how, "parameters": run.parameters, "tokens": run.tokens}


# Facts that a model lacks, and are inserted.
LACKING = [(name, key) for name, corpus in settings.corpora.items() for key, one in corpus.insert.items() if one.lacking]
COMPARED = [name for name, run in RUNS.items() if run.control]
HELD_OUT = [name for name, run in RUNS.items() if run.held_out]


def compared_runs():
    """For params: each run with an insertion and its control; runs of one model with insertions of one name count as its seeds."""
    rows, runs = [], {}
    for name in COMPARED:
        run = RUNS[name]
        model = run.model if run.model in settings.pretrained else Path(run.model).name
        seed = runs[model, run.text] = runs.get((model, run.text), -1) + 1
        told = {"model": model, "parameters": run.parameters, "text": run.text, "seed": str(seed)}
        rows.append({"run": name, "control": run.control} | told)
    return rows


def lacking(wildcards):
    """Which facts are inserted because a model lacks them."""
    return settings.corpora[wildcards.corpus].insert[wildcards.insertion].lacking


def asked_table(wildcards):
    """The questions on the facts that were inserted into the text of a run."""
    run = RUNS[wildcards.asked]
    asked = settings.corpora[run.corpus].insert[run.text].asked
    return asked or f"<results>/corpora/{run.corpus}/lacking/{run.text}/asked.parquet"
