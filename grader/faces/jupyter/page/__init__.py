"""What pages that ask are made of: ES modules and one style sheet, which the notebook's widget and a page share.

A page serves the modules as they are; a widget is one text, which `bundle` makes of them. So a module imports names of
its neighbors by `import { a, b } from "./other.js";`, each at the start of a line, exports where it defines, and no two
modules call something by the same name.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from grader.render import figure_svg

HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const |let |function |async function )", re.MULTILINE)


@cache
def bundle(entry: str = "sheet.js") -> str:
    """A module with all that it imports, directly or not, as one module; what `entry` exports by default stays."""
    found: dict[str, str] = {}

    def add(name: str) -> None:
        if name in found:
            return
        found[name] = ""  # a circle ends here
        text = (HERE / name).read_text(encoding="utf-8")
        for other in _IMPORT.findall(text):
            add(other)
        del found[name]  # after what it needs
        found[name] = _EXPORT.sub("", _IMPORT.sub("", text))

    add(entry)
    return "\n".join(found.values())


@cache
def style() -> str:
    """The style sheet, figures included. Its colors come from the surroundings, light or dark."""
    return (HERE / "page.css").read_text(encoding="utf-8") + figure_svg.css()
