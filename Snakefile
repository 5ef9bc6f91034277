# Entry point: `snakemake` here runs the whole talk at the scale of config/config.yaml.
include: "workflow/Snakefile"


# An included rule is no default target by itself.
workflow.default_target = "all"
