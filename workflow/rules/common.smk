# What several chapters share: the runs of the suite, and functions of settings for inputs and params.

# Every training run from scratch: (model, seed). Arms continue each of them.
RUNS = [(model, seed) for model, size in settings.suite.sizes.items() for seed in range(size.seeds)]
PRETRAINED = list(settings.pretrained)
ARMS = ["baseline", *settings.arms]


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
