"""``python -m siteselect.i18n.update``: bring the French catalogue in line with the code.

Adds what the code says and the catalogue lacks (empty, to be translated), drops what nobody
says any more, and lists what remains to translate.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from siteselect.i18n import CATALOGUE
from siteselect.i18n.extract import PACKAGE, source_templates

_HEADER = """\
# French texts of siteselect. The English template is the key.
# Words as in docs: friche, solde d'artificialisation nette, plafond, bassin d'emploi.
"""


_DATED = (
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Last-Translator',
    '"Language-Team',
    '"Generated',
)


def updated(
    catalogue: Path = CATALOGUE, *, package: Path = PACKAGE
) -> tuple[Catalog, tuple[str, ...]]:
    """The catalogue with exactly the templates of the code, and those still untranslated."""
    known: dict[str, str] = {}
    if catalogue.is_file():
        with catalogue.open("rb") as stream:
            for message in read_po(stream, locale="fr"):
                if message.id and isinstance(message.id, str) and isinstance(message.string, str):
                    known[message.id] = message.string
    fresh = Catalog(locale="fr", project="siteselect", header_comment=_HEADER, fuzzy=False)
    for template, files in source_templates(package).items():
        fresh.add(template, known.get(template, ""), locations=[(name, 0) for name in files])
    missing = tuple(template for template in source_templates(package) if not known.get(template))
    return fresh, missing


def save(fresh: Catalog, catalogue: Path = CATALOGUE) -> None:
    """Write the catalogue beside and rename; no dates in it, so that it only changes with texts."""
    buffer = io.BytesIO()
    write_po(buffer, fresh, width=0, sort_output=True, include_lineno=False)
    lines = buffer.getvalue().decode("utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(_DATED))
    temporary = catalogue.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(catalogue)


def main() -> int:
    """Update the catalogue; status 1 while something remains to translate."""
    fresh, missing = updated()
    save(fresh)
    for template in missing:
        sys.stdout.write(f"{template!r}\n")
    sys.stdout.write(f"{len(fresh)} templates, {len(missing)} to translate: {CATALOGUE}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
