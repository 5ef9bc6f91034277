# What several chapters share: checks of the settings that need more than the settings, lists that follow from these, and
# functions of wildcards for inputs, params and resources.
#
# Reading the workflow takes no package but Snakemake and pydantic: who runs steps in conda environments has no others.
from importlib.util import find_spec

from overtime.attacks.task_limits import check_task, described
from overtime.corpora.world_limits import check_context, check_people
from overtime.pipeline.settings import setting_error
from overtime.pipeline.settings_corpora import check_paths, find_shards
from overtime.pipeline.settings_questions import BUILT_IN, FROM_ARTICLES
from overtime.sources.ledger import read_ledger, select

LEDGER = CONFIG / "sources.csv"


def checked(key, check, *arguments, **options):
    """What a check of a setting returns; its InputError becomes the one line about the key ("": the message begins with one)."""
    try:
        return check(*arguments, **options)
    except InputError as error:
        line = str(error) if key is None else str(setting_error(key, str(error), CONFIG_FILES))
        raise WorkflowError(line) from None


DATASETS = checked(None, read_ledger, LEDGER)
for section, entries in {"pretrained": settings.pretrained, "questions.sets": settings.questions.sets}.items():
    for name, entry in entries.items():
        if entry.dataset is not None:
            checked(f"{section}.{name}.dataset", select, DATASETS, entry.dataset)
for task in settings.prompts.extra:
    checked("prompts.extra", described, task, RESOURCES / "prompts")
for task in settings.prompts.tasks:
    checked("prompts.tasks", described, task, RESOURCES / "prompts")
    limits = settings.prompts.model_dump(include={"prompts", "demonstrations"})
    checked("prompts", check_task, task, RESOURCES / "prompts", **limits)
checked("", check_context, settings.suite.context, settings.retrieval.top if settings.retrieval.models else [])
checked("", check_paths, settings.corpora, settings.questions)
SHARDS = {
    name: (
        {f"{corpus.dataset}.jsonl": f"<results>/texts/{name}/{corpus.dataset}.jsonl"}
        if corpus.dataset
        else checked(f"corpora.{name}.shards", find_shards, corpus.shards)
    )
    for name, corpus in settings.corpora.items()
}

# Models that are trained with inserted documents, by where these go; the arm and seed of each model's runs with them.
PLACEMENTS = {"late": settings.insertion.late, "spread": settings.insertion.spread} if settings.insertion else {}
INSERTED = {
    model: [
        (f"insert_{placement}", seed)
        for placement, models in PLACEMENTS.items()
        for seed in range(settings.insertion.seeds)
        if model in models
    ]
    for model in sorted({model for models in PLACEMENTS.values() for model in models})
}
if INSERTED and find_spec("numpy") and find_spec("polars"):  # else choose_targets says it
    from overtime.corpora.world_people import INHABITED, People

    described = People(**settings.world.model_dump(include=set(INHABITED)))
    checked("", check_people, described, **settings.insertion.model_dump(include={"doses", "people", "at_most"}))
ASKED = {
    f"corpora.{name}.insert.{insertion}.asked": inserted.asked
    for name, corpus in settings.corpora.items()
    for insertion, inserted in corpus.insert.items()
    if inserted.asked
}
if ASKED and find_spec("numpy") and find_spec("polars"):  # else ask_continued says it, after the training
    from overtime.corpora.insertion_plan import read_asked

    for key, table in ASKED.items():
        checked(key, read_asked, table)
SETS = list(settings.questions.sets)
BINS = [{"factor": 2, "fewest": 10}, {"factor": 4, "fewest": 10}]  # of document counts: the suite's, those of question sets
# Billions of parameters of every model, by which models are ordered.
PARAMETERS = {name: size.parameters for name, size in settings.suite.sizes.items()}
PARAMETERS |= {name: model.parameters for name, model in (settings.checkpoints | settings.pretrained).items()}
CORPORA = {name: model.corpus for name, model in settings.pretrained.items()}
pretrained = settings.taking_part


def one_of(names):
    """Wildcard constraint: one of these names, or nothing where there is none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def inference(wildcards):
    """How a pretrained model is loaded."""
    return {"dtype": settings.pretrained[wildcards.model].dtype, "device": settings.device}


def suite_scores(task, models=tuple(settings.suite.sizes)):
    """Score tables of some models of the suite; one holds all runs of a model."""
    return [f"<results>/scores/{task}/{model}.parquet" for model in dict.fromkeys(models)]


def identities(*arms):
    """For params: the `arm` and `seed` of each of a model's runs, here or in a variant, in the order of `folders`; no arms: all."""

    def runs(wildcards):
        variant = settings.variants.get(wildcards.get("variant"))
        seeds = variant.sizes[wildcards.model] if variant else settings.suite.sizes[wildcards.model].seeds
        every = arms or ["baseline", *(variant.arms if variant else settings.arms)]
        return [{"arm": arm, "seed": str(seed)} for seed in range(seeds) for arm in every]

    return runs


def folders(*arms):
    """For inputs: the folders of a model's runs, all seeds of these arms."""
    runs = identities(*arms)

    def paths(wildcards):
        world = f"<results>/variants/{wildcards.variant}" if wildcards.get("variant") else "<results>"
        return [f"{world}/checkpoints/{wildcards.model}/{run['arm']}/seed{run['seed']}" for run in runs(wildcards)]

    return paths


def arm_stream(arm, seed, folder="<results>"):
    """The stream of a run of an arm; its own where chance decides which documents are rewritten."""
    return f"{folder}/streams/{arm}/seed{seed}.npz" if settings.arms[arm].drawn else f"{folder}/streams/{arm}.npz"


def timings(setting):
    """For inputs: the table by which a setting of precision, here of wildcards, is resolved where it is auto."""
    return lambda wildcards: "<results>/timings.json" if setting(wildcards) == "auto" else []


PRECISIONS = [settings.suite.precision, *(model.dtype for model in (settings.pretrained | settings.checkpoints).values())]
pretrained_timings = timings(lambda wildcards: settings.pretrained[wildcards.model].dtype)
suite_timings = timings(lambda wildcards: settings.suite.precision)


def shard(wildcards):
    """The file of a shard."""
    return SHARDS[wildcards.corpus][wildcards.shard]


def shard_reports(corpus, *tasks):
    """Reports of the jobs that do these tasks to a corpus, one per shard."""
    return [f"<results>/corpora/{corpus}/{task}/{shard}.parquet" for task in tasks for shard in SHARDS[corpus]]


def corpus_tasks(corpus):
    """What the settings ask for; at least to read it through."""
    options = settings.corpora[corpus]
    tasks = [f"rewrite/{text}" for text in options.rewrite] + ["count"] * (corpus in COUNTED)
    insert = [f"insert/{name}" for name in options.insert]
    return tasks + (["read", *insert] if insert or not tasks else [])


def name_tables(wildcards):
    """Where the names come from that are looked for in a corpus."""
    return settings.corpora[wildcards.corpus].model_dump(include={"names", "questions"})


def recipe(wildcards):
    """How a size is trained; `branch` lists the shares of training from which an arm continues."""
    return {
        **settings.suite.model_dump(exclude={"sizes"}),
        **settings.suite.sizes[wildcards.model].model_dump(exclude={"seeds"}),
        "branch": settings.branches(),
    }


def question_source(wildcards):
    """Where a question set comes from: the project's own file, the encyclopedia, a fetched data set or a split on the Hub."""
    questions = settings.questions.sets[wildcards.set]
    if questions.format == "own":
        return RESOURCES / "facts/questions.csv"
    if questions.format in BUILT_IN:
        return "<results>/encyclopedia.parquet"
    return f"<results>/public/{questions.dataset}" if questions.dataset else "<results>/sources/questions/{set}.parquet"


def family_tables(wildcards):
    """The tables by which articles of the encyclopedia become questions."""
    named = settings.questions.sets[wildcards.set].format in FROM_ARTICLES
    return [RESOURCES / "facts" / name for name in ("families.toml", "countries.txt")] if named else []


def inserted_facts(wildcards):
    """The documents to insert into a corpus: the user's table, or those about facts that a model lacks."""
    insertion = settings.corpora[wildcards.corpus].insert[wildcards.insertion]
    return insertion.facts or "<results>/corpora/{corpus}/lacking/{insertion}/facts.parquet"


def counted_sets():
    """Count tables of all sets with linked questions, in the corpora of the models that are asked them."""
    corpora = dict.fromkeys(settings.pretrained[model].corpus for model in pretrained("questions"))
    linked = [name for name, questions in settings.questions.sets.items() if questions.entities]
    return [f"<results>/counts/{name}/{corpus}.parquet" for name in linked for corpus in corpora if corpus]


def chosen_variants(robustness):
    """Names of the variants of the default target; for the target `robustness`, of all."""
    return [name for name, variant in settings.variants.items() if robustness or not variant.robustness]


def variant_tables(table, robustness=False):
    """A table of every variant, such as corpus/pairs, corpus/questions or counts."""
    return [f"<results>/variants/{variant}/{table}.parquet" for variant in chosen_variants(robustness)]


def variant_scores(task, robustness=False):
    """Score tables of all sizes of every variant: pairs, pronouns or closed_book."""
    chosen = {variant: settings.variants[variant].sizes for variant in chosen_variants(robustness)}
    return [f"<results>/variants/{variant}/scores/{task}/{model}.parquet" for variant in chosen for model in chosen[variant]]


def variant_world(wildcards):
    """The settings of a variant's world."""
    return settings.world.model_dump() | settings.variants[wildcards.variant].changes()


def variant_branches(wildcards):
    """The shares of training from which the arms of a variant continue."""
    return sorted({round(1 - settings.arms[arm].share, 9) for arm in settings.variants[wildcards.variant].arms})


def variant_recipe(wildcards):
    """How a size is trained; kept are what arms continue from, and the last few, which tell whether it has settled."""
    branches = variant_branches(wildcards)
    kept = sorted({*branches, *settings.suite.checkpoints[-3:]})
    return recipe(wildcards) | {"checkpoints": kept, "branch": branches}
