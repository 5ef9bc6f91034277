"""The conda environments hold what their steps import, at the versions of requirements.txt, and nothing else."""

import pytest
from conda_envs import ENVS, needs, pinned, required, specifications, steps
from packaging.version import Version

from overtime.models.tuned_lens_fit import DESCRIBED_PACKAGES

STEPS = steps()
NAMED = {"accelerate", "gguf"}  # loaded by transformers when a model asks for them


@pytest.mark.parametrize("rule", STEPS)
def test_a_step_finds_what_it_imports_in_its_environment(rule):
    script, env = STEPS[rule]
    assert needs(script) <= set(pinned(env))


@pytest.mark.parametrize("env", ENVS)
def test_versions_are_those_of_the_results(env):
    """conda-forge numbers the first release of a version, without the .post1 of a repeated upload."""
    for name, version in pinned(env).items():
        assert Version(version).base_version == Version(required()[name]).base_version, name
    assert [line for line in specifications(env) if "=" not in line] in ([], ["pip"])
    assert "python>=3.11,<3.14" in specifications(env)


@pytest.mark.parametrize("env", ENVS)
def test_no_environment_holds_what_none_of_its_steps_uses(env):
    used = set().union(*(needs(script, later=True) for script, name in STEPS.values() if name == env))
    assert set(pinned(env)) - used - NAMED <= (set(DESCRIBED_PACKAGES) if env == "torch" else set())


def test_what_is_imported_late_is_in_some_environment():
    assert set().union(*(needs(script, later=True) for script, _ in STEPS.values())) <= set().union(*map(pinned, ENVS))


def test_the_text_of_the_tuned_lens_is_pinned():
    _, env = STEPS["fit_lens"]
    assert {name.replace("_", "-") for name in DESCRIBED_PACKAGES} <= set(pinned(env))
