"""The part of conda's command line that Snakemake calls, on py-rattler, where conda itself cannot be had.

Channels are looked up under the URL in CONDA_CHANNEL_ALIAS, packages are unpacked in the folder CONDA_PKGS_DIRS, and conda's
prefix, which holds bin/activate, is CONDA_ROOT.
"""

import asyncio
import json
import os
import subprocess
import sys

import yaml
from rattler import Channel, VirtualPackage, install, solve
from rattler.platform import Platform


async def create(file: str, prefix: str) -> None:
    """Solve the specification of an environment and put it at `prefix`, then what it asks of pip."""
    with open(file, encoding="utf-8") as stream:
        specification = yaml.safe_load(stream)
    alias = os.environ["CONDA_CHANNEL_ALIAS"]
    records = await solve(
        [Channel(f"{alias}/{name}") for name in specification["channels"] if name != "nodefaults"],
        [entry for entry in specification["dependencies"] if isinstance(entry, str)],
        platforms=[Platform.current(), Platform("noarch")],
        virtual_packages=VirtualPackage.detect(),
    )
    await install(records, prefix, cache_dir=os.environ["CONDA_PKGS_DIRS"], show_progress=False)
    for entry in specification["dependencies"]:
        if isinstance(entry, dict):
            subprocess.run([f"{prefix}/bin/python", "-m", "pip", "install", "--quiet", *entry["pip"]], check=True)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["--version"]:
            print("conda 24.7.1")
        case ["info", "--json"]:
            print(json.dumps({"conda_prefix": os.environ["CONDA_ROOT"], "platform": str(Platform.current())}))
        case ["config", "--get", "channel_priority", "--json"]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["env", "create", "--quiet", "--no-default-packages", "--file", file, "--prefix", prefix]:
            asyncio.run(create(file, prefix))
        case ["clean", "-y", "--tarballs"]:
            pass  # no archive is kept
        case _:
            sys.exit(f"stand-in for conda: not known: {' '.join(arguments)}")


main(sys.argv[1:])
sys.stdout.flush()
os._exit(0)  # at once: now and then rattler's threads crash an interpreter that is winding up
