"""Styles that QGIS reads from the GeoPackage (table ``layer_styles``), as QML documents.

Kinds of site differ by the shape of their marker as well as by colour; a marker on the centroid
keeps a site of some hectares visible on a map of the country.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from siteselect.i18n import Translator
from siteselect.messages import Msg
from siteselect.report.words import word
from siteselect.scenario import KINDS

HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
VERSION = "3.28.0"
COLOURS: Mapping[str, str] = {
    "brownfield": "184,74,0",
    "extension": "0,99,168",
    "greenfield": "0,120,90",
}
MARKS: Mapping[str, str] = {"brownfield": "circle", "extension": "square", "greenfield": "diamond"}
INK = "27,36,48"


@dataclass(frozen=True)
class _Fill:
    """A symbol of an area: ``colour`` and ``outline`` as r,g,b,a; a marker where ``mark``."""

    colour: str
    outline: str
    width_mm: float = 0.3
    pattern: str = "solid"
    mark: str = ""
    mark_colour: str = ""
    mark_outline: str = ""
    size_mm: float = 0.0


def style_of(layer: str, aliases: Mapping[str, str], t: Translator) -> str:
    """The QML of a layer of the GeoPackage, its fields named for people."""
    root = Element("qgis", version=VERSION, styleCategories="Symbology|Labeling|Fields")
    if layer in ("selected", "reserve", "candidates"):
        _by_kind(root, layer, t)
    elif layer == "restoration":
        _single(root, _Fill(f"{INK},0", f"{INK},255", 0.3, "b_diagonal", "cross", INK, INK, 2.2))
    elif layer == "isochrones":
        _by_minutes(root, t)
    else:
        _by_balance(root, t)
    if layer in ("selected", "reserve"):
        _label(root, "rank", layer == "selected")
    elif layer.startswith("ledger_"):
        _label(root, "name", False)
    fields = SubElement(root, "aliases")
    for index, (name, alias) in enumerate(aliases.items(), start=1):
        SubElement(fields, "alias", field=name, index=str(index), name=alias)
    SubElement(root, "layerGeometryType").text = "2"
    return HEAD + tostring(root, encoding="unicode")


def _by_kind(root: Element, layer: str, t: Translator) -> None:
    symbols = []
    for kind in KINDS:
        colour = COLOURS[kind]
        if layer == "selected":
            fill = _Fill(f"{colour},110", f"{colour},255", 0.5, "solid", MARKS[kind],
                         f"{colour},255", "255,255,255,255", 5.2)  # fmt: skip
        elif layer == "reserve":
            fill = _Fill(f"{colour},40", f"{colour},255", 0.4, "solid", MARKS[kind],
                         "255,255,255,255", f"{colour},255", 4.0)  # fmt: skip
        else:
            fill = _Fill(f"{colour},50", f"{colour},140", 0.2, "solid", MARKS[kind],
                         f"{colour},120", f"{colour},0", 1.1)  # fmt: skip
        symbols.append((kind, word("kind", kind, t), fill))
    renderer = _renderer(root, "categorizedSymbol", attr="kind")
    categories = SubElement(renderer, "categories")
    for index, (value, label, _) in enumerate(symbols):
        SubElement(categories, "category", symbol=str(index), value=value, label=label,
                   render="true", type="string")  # fmt: skip
    _symbols(renderer, [fill for _, _, fill in symbols])


def _by_minutes(root: Element, t: Translator) -> None:
    renderer = _renderer(root, "categorizedSymbol", attr="minutes")
    categories = SubElement(renderer, "categories")
    shades = {30: "127,168,209", 45: "188,211,234"}
    for index, minutes in enumerate(shades):
        label = t.text(Msg("within {minutes} min by car", minutes=minutes))
        SubElement(categories, "category", symbol=str(index), value=str(minutes), label=label,
                   render="true", type="long")  # fmt: skip
    _symbols(renderer, [_Fill(f"{shade},90", f"{INK},150", 0.2) for shade in shades.values()])


def _by_balance(root: Element, t: Translator) -> None:
    """Net artificialisation: darker is more; a pattern, not only a colour, marks a credit."""
    renderer = _renderer(root, "graduatedSymbol", attr="net_ha", graduatedMethod="GraduatedColor")
    steps = ((-1e9, 0.0), (0.0, 5.0), (5.0, 15.0), (15.0, 1e9))
    labels = (
        t.text(Msg("net balance of 0 ha or less")),
        *(
            t.text(Msg("{low:g} to {high:g} ha net", low=low, high=high))
            for low, high in steps[1:3]
        ),
        t.text(Msg("more than {low:g} ha net", low=steps[3][0])),
    )
    ranges = SubElement(renderer, "ranges")
    for index, ((low, high), label) in enumerate(zip(steps, labels, strict=True)):
        SubElement(ranges, "range", symbol=str(index), lower=repr(low), upper=repr(high),
                   label=label, render="true")  # fmt: skip
    edge = f"{INK},120"
    _symbols(
        renderer,
        [
            _Fill("107,154,91,255", edge, 0.2, "b_diagonal"),
            _Fill("253,230,206,130", edge, 0.2),
            _Fill("240,150,80,150", edge, 0.2),
            _Fill("150,50,10,170", edge, 0.2),
        ],
    )


def _single(root: Element, fill: _Fill) -> None:
    _symbols(_renderer(root, "singleSymbol"), [fill])


def _renderer(root: Element, kind: str, **attributes: str) -> Element:
    common = {"type": kind, "symbollevels": "0", "enableorderby": "0", "forceraster": "0"}
    return SubElement(root, "renderer-v2", {**common, **attributes})


def _symbols(renderer: Element, fills: Sequence[_Fill]) -> None:
    symbols = SubElement(renderer, "symbols")
    for index, fill in enumerate(fills):
        symbol = SubElement(symbols, "symbol", name=str(index), type="fill", alpha="1",
                            clip_to_extent="1", force_rhr="0")  # fmt: skip
        _layer(symbol, "SimpleFill", (
            ("color", fill.colour),
            ("outline_color", fill.outline),
            ("outline_style", "solid"),
            ("outline_width", str(fill.width_mm)),
            ("outline_width_unit", "MM"),
            ("style", fill.pattern),
        ))  # fmt: skip
        if fill.mark:
            centre = _layer(symbol, "CentroidFill", (("point_on_surface", "0"),))
            marker = SubElement(centre, "symbol", name=f"@{index}@1", type="marker", alpha="1",
                                clip_to_extent="1", force_rhr="0")  # fmt: skip
            _layer(marker, "SimpleMarker", (
                ("color", fill.mark_colour),
                ("outline_color", fill.mark_outline),
                ("outline_style", "solid"),
                ("outline_width", "0.4"),
                ("outline_width_unit", "MM"),
                ("name", fill.mark),
                ("size", str(fill.size_mm)),
                ("size_unit", "MM"),
            ))  # fmt: skip


def _layer(symbol: Element, kind: str, options: Iterable[tuple[str, str]]) -> Element:
    layer = SubElement(symbol, "layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
    tree = SubElement(layer, "Option", type="Map")
    for name, value in options:
        SubElement(tree, "Option", name=name, value=value, type="QString")
    return layer


def _label(root: Element, field: str, white: bool) -> None:
    labeling = SubElement(root, "labeling", type="simple")
    settings = SubElement(labeling, "settings", calloutType="simple")
    colour = "255,255,255,255" if white else f"{INK},255"
    style = SubElement(settings, "text-style", fieldName=field, fontSize="7", fontSizeUnit="Point",
                       textColor=colour, fontWeight="75", namedStyle="Bold",
                       isExpression="0")  # fmt: skip
    SubElement(style, "text-buffer", bufferDraw="0" if white else "1", bufferSize="0.6",
               bufferColor="255,255,255,255")  # fmt: skip
    # 1: over the point; a label of a rank stands on its marker
    SubElement(settings, "placement", placement="1", quadOffset="4", centroidWhole="1",
               centroidInside="0")  # fmt: skip
    SubElement(settings, "rendering", displayAll="1", drawLabels="1", obstacle="0")
