# What steps ask a scheduler for: functions for `resources` and `priority`, from the arithmetic of overtime.pipeline.costs.
#
# Snakemake starts the ready jobs of the highest priority: 40 what all training waits for, 35 what arms wait for beside it, 30 the
# largest model of the suite, 25 what pretrained models and variants of the world wait for, 20 pretrained models, 10 and more the
# others of the suite by size; scores 10 less than training.

# Tokens that a step puts through a model: bounds, with starts that prompts share counted every time.
PASSAGE_TOKENS = 1200  # a question with the longest passages of every condition


def training_urgency(wildcards):
    """Priority of training a model of the suite."""
    return costs.urgency(wildcards.model, {name: PARAMETERS[name] for name in settings.suite.sizes})


def scoring_urgency(wildcards):
    """Priority of scoring a model of the suite: after the training that leads on."""
    return training_urgency(wildcards) - costs.SUITE


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
    """Run time of a step that puts so many tokens (or a function of wildcards) through a model, or downloads it."""

    def requested(wildcards):
        number = tokens(wildcards) if callable(tokens) else tokens
        return costs.minutes(PARAMETERS[wildcards.model], gpus(wildcards), number, downloads)

    return requested


def lens_tokens(wildcards):
    """Of fitting a lens: reading its text, and as if every step on a layer were a pass of 128 tokens through the model."""
    return 3 * settings.prompts.lens_tokens + 30 * 128 * settings.prompts.lens_steps


def layer_tokens(wildcards):
    """Of all prompts of a task."""
    conditions = len(settings.prompts.of_task(wildcards.task))
    return settings.prompts.prompts * conditions * (settings.prompts.demonstrations + 1) * 40


def question_tokens(wildcards):
    """Of the questions of a set in every condition; the largest set has 11,313."""
    return (settings.questions.sets[wildcards.set].sample or 11_313) * PASSAGE_TOKENS


def map_on_disk(wildcards):
    """Megabytes of a published entity map."""
    return round(settings.entity_maps[wildcards.corpus].bytes / 1e6)
