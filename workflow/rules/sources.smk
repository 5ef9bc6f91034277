# Sources: public data sets, and the authors' released measurements.
#
# in:   config/sources.csv (what, where, sha256); setting mirror
# out:  <results>/public/{dataset}/; <results>/sources/..., <results>/released/*.csv (target `released`)
# steps: fetch_public; fetch_released -> parse_released
#
# Downloads run where snakemake runs, because the nodes of a cluster often have no network.
# The default target goes without what cannot be had: the released numbers are committed in workflow/resources/released, and
# `snakemake released` regenerates them from the authors' files.

LEDGER = CONFIG / "sources.csv"
RELEASED = ["pythia_crows_gender", "pythia_winobias", "overthinking_layers", "crows_pairs_directions"]


rule fetch_public:
    input:
        ledger=LEDGER,
    output:
        files=directory("<results>/public/{dataset}"),
    log:
        "<logs>/fetch_public/{dataset}.log",
    benchmark:
        "<benchmarks>/fetch_public/{dataset}.tsv"
    wildcard_constraints:
        dataset="[a-z0-9-]+",
    localrule: True
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        code=code("fetch_public"),
        mirror=settings.mirror,
    message:
        "Fetching {wildcards.dataset} (its panels are left out where it cannot be had)"
    script:
        "../scripts/fetch_public.py"


rule fetch_released:
    input:
        ledger=LEDGER,
    output:
        evaluations=directory("<results>/sources/pythia"),
        layers=directory("<results>/sources/overthinking"),
        crows_pairs=directory("<results>/sources/crows-pairs"),
    log:
        "<logs>/fetch_released.log",
    benchmark:
        "<benchmarks>/fetch_released.tsv"
    retries: 2
    localrule: True
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        code=code("fetch_released"),
        datasets={
            "evaluations": ["pythia-crows-pairs", "pythia-winobias"],
            "layers": ["overthinking-layers"],
            "crows_pairs": ["crows-pairs-original", "crows-pairs-revised"],
        },
        mirror=settings.mirror,
    message:
        "Fetching the authors' released measurements"
    script:
        "../scripts/fetch_released.py"


rule parse_released:
    input:
        evaluations="<results>/sources/pythia",
        layers="<results>/sources/overthinking",
        crows_pairs="<results>/sources/crows-pairs",
        ledger=LEDGER,
    output:
        tables=expand("<results>/released/{table}.csv", table=RELEASED),
    log:
        "<logs>/parse_released.log",
    benchmark:
        "<benchmarks>/parse_released.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        code=code("parse_released"),
    script:
        "../scripts/parse_released.py"


rule released:
    input:
        rules.parse_released.output,
