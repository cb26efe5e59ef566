"""Paint the land under and around one footprint: coherent patches, buildings, roads, fields.

All arrays are windows of the 10 m grid, shape (rows, columns), values of :class:`Land`.
Shares are reached exactly (to a pixel) by ranking smooth noise, not by thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from data.build.legend import Land

Codes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Field = NDArray[np.float64]

WORKS = (
    Land.WORKS_BUILDING, Land.WORKS_PAVED, Land.WORKS_MINERAL, Land.WORKS_COMPOSITE,
    Land.WORKS_GRASS,
)  # fmt: skip
IDLE = (
    Land.IDLE_BUILDING, Land.IDLE_PAVED, Land.IDLE_MINERAL, Land.IDLE_COMPOSITE, Land.IDLE_GRASS,
)  # fmt: skip
WOODS = (Land.BROADLEAF, Land.MIXED_WOOD, Land.CONIFERS)


def smooth_noise(shape: tuple[int, int], sigma: float, rng: np.random.Generator) -> Field:
    """Gaussian noise smoothed over ``sigma`` pixels, standard deviation about 1."""
    field: Field = gaussian_filter(rng.standard_normal(shape), sigma, mode="reflect")
    return field / max(float(field.std()), 1e-12)


def lowest(field: Field, mask: Mask, share: float) -> Mask:
    """The pixels of ``mask`` with the lowest ``field``, ``share`` of them to a pixel."""
    chosen = np.zeros(mask.shape, dtype=bool)
    inside = np.flatnonzero(mask)
    count = round(share * len(inside))
    order = np.argsort(field.ravel()[inside], kind="stable")
    chosen.ravel()[inside[order[:count]]] = True
    return chosen


def spread(codes: Codes, mask: Mask, field: Field, parts: Sequence[tuple[Land, float]]) -> None:
    """Fill ``mask`` by bands of ``field``: each land takes its share, the last one the rest."""
    left = mask.copy()
    total = max(int(mask.sum()), 1)
    for land, share in parts[:-1]:
        band = lowest(field, left, min(1.0, share * total / max(int(left.sum()), 1)))
        codes[band] = land
        left &= ~band
    codes[left] = parts[-1][0]


def rectangles(
    mask: Mask, share: float, angle: float, rng: np.random.Generator, *, longest: float = 12.0
) -> Mask:
    """Buildings: rectangles at one angle inside ``mask`` until they cover ``share`` of it."""
    built = np.zeros(mask.shape, dtype=bool)
    inside = np.argwhere(mask)
    wanted = share * len(inside)
    if wanted < 2:
        return built
    rows, columns = np.indices(mask.shape)
    for _ in range(200):
        if built.sum() >= wanted:
            break
        row, column = inside[rng.integers(len(inside))]
        along = (columns - column) * np.cos(angle) + (rows - row) * np.sin(angle)
        across = (rows - row) * np.cos(angle) - (columns - column) * np.sin(angle)
        limit = min(longest, np.sqrt(wanted))
        half_long = rng.uniform(0.8, 0.5 * limit + 0.8)
        half_wide = half_long * rng.uniform(0.3, 0.8)
        built |= (np.abs(along) <= half_long) & (np.abs(across) <= half_wide) & mask
    return built


def line(shape: tuple[int, int], angle: float, offset: float, half_width: float) -> Mask:
    """A straight band at ``angle`` through the centre moved by ``offset`` pixels."""
    rows, columns = np.indices(shape, dtype=np.float64)
    centre_row, centre_column = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    across = (rows - centre_row) * np.cos(angle) - (columns - centre_column) * np.sin(angle)
    mask: Mask = np.abs(across - offset) <= half_width
    return mask


def paint_brownfield(
    codes: Codes,
    inside: Mask,
    artificialised: float,
    impermeable: float,
    rng: np.random.Generator,
) -> None:
    """A brownfield with given shares of its pixels artificialised and impermeable."""
    palette = IDLE if rng.random() < 0.75 else WORKS
    building, paved, mineral, composite, grass = palette
    count = int(inside.sum())
    wild = smooth_noise(inside.shape, 3.5, rng)
    natural = lowest(wild, inside, 1.0 - artificialised)
    trees = lowest(wild, natural, rng.uniform(0.4, 0.8))
    codes[natural] = Land.IDLE_SHRUBS
    codes[trees] = Land.IDLE_TREES
    used = inside & ~natural
    sealed = round(impermeable * count)
    angle = rng.uniform(0.0, np.pi)
    built = rectangles(used, rng.uniform(0.2, 0.55) * sealed / max(int(used.sum()), 1), angle, rng)
    if int(built.sum()) > sealed:
        built = lowest(smooth_noise(inside.shape, 2.0, rng), built, sealed / int(built.sum()))
    codes[built] = building
    open_ground = used & ~built
    near = distance_transform_edt(~built) if built.any() else np.zeros(inside.shape)
    yard_field = near / 4.0 + smooth_noise(inside.shape, 2.5, rng)
    yards = lowest(
        yard_field, open_ground, (sealed - int(built.sum())) / max(int(open_ground.sum()), 1)
    )
    codes[yards] = paved
    bare = rng.uniform(0.15, 0.6)
    spread(
        codes,
        open_ground & ~yards,
        smooth_noise(inside.shape, 3.0, rng),
        [(mineral, bare), (composite, rng.uniform(0.0, 0.12)), (grass, 1.0)],
    )


def paint_extension(
    codes: Codes, inside: Mask, side: Field, serviced: float, rng: np.random.Generator
) -> None:
    """Over fields already painted, the serviced part of an extension: the low end of ``side``."""
    ready = lowest(side + 0.25 * smooth_noise(inside.shape, 4.0, rng), inside, serviced)
    spread(
        codes,
        ready,
        smooth_noise(inside.shape, 3.0, rng),
        [
            (Land.EARTHWORKS, rng.uniform(0.15, 0.45)),
            (Land.WORKS_GRASS, rng.uniform(0.0, 0.15)),
            (Land.SERVICED_GRASS, 1.0),
        ],
    )
    angle = rng.uniform(0.0, np.pi)
    built = rectangles(ready, rng.uniform(0.0, 0.08), angle, rng, longest=7.0)
    codes[built] = Land.WORKS_BUILDING
    codes[line(inside.shape, angle, rng.uniform(-3, 3), 0.8) & ready & ~built] = Land.ROAD


def paint_farmland(
    codes: Codes, mask: Mask, rng: np.random.Generator, *, roads: bool = True
) -> None:
    """Fields between hedges, some woods, here and there a lane and a farm."""
    crop = Land.VINES if rng.random() < 0.08 else Land.CROPS
    codes[mask] = crop
    codes[_field_edges(mask.shape, rng) & mask] = Land.HEDGE
    wood = WOODS[rng.choice(3, p=[0.6, 0.25, 0.15])]
    woods = lowest(smooth_noise(mask.shape, 6.0, rng), mask, max(0.0, rng.normal(0.06, 0.06)))
    codes[woods] = wood
    if roads and rng.random() < 0.6:
        lane = line(
            mask.shape, rng.uniform(0, np.pi), rng.uniform(-0.4, 0.4) * min(mask.shape), 0.6
        )
        codes[lane & mask] = Land.ROAD
    if roads and rng.random() < 0.15:
        farm = rectangles(
            mask, 8 / max(int(mask.sum()), 8), rng.uniform(0, np.pi), rng, longest=4.0
        )
        codes[farm] = Land.FARM_BUILDING


def paint_town(codes: Codes, mask: Mask, rng: np.random.Generator) -> None:
    """Streets in blocks, houses, gardens and trees."""
    spread(
        codes,
        mask,
        smooth_noise(mask.shape, 1.5, rng),
        [
            (Land.HOME_TREES, rng.uniform(0.08, 0.22)),
            (Land.HOME_GARDEN, rng.uniform(0.4, 0.5)),
            (Land.HOME_BUILDING, rng.uniform(0.2, 0.3)),
            (Land.HOME_PAVED, 1.0),
        ],
    )
    angle = rng.uniform(0.0, np.pi)
    for turn, block in ((0.0, rng.uniform(7, 12)), (np.pi / 2, rng.uniform(10, 18))):
        rows, columns = np.indices(mask.shape, dtype=np.float64)
        across = rows * np.cos(angle + turn) - columns * np.sin(angle + turn)
        codes[mask & (np.mod(across, block) < 1.0)] = Land.ROAD


def paint_business_park(codes: Codes, mask: Mask, rng: np.random.Generator) -> None:
    """Sheds, car parks and lawns."""
    building, paved, grass = (
        (Land.SHOP_BUILDING, Land.SHOP_PAVED, Land.SHOP_GRASS)
        if rng.random() < 0.4
        else (Land.WORKS_BUILDING, Land.WORKS_PAVED, Land.WORKS_GRASS)
    )
    angle = rng.uniform(0.0, np.pi)
    spread(
        codes,
        mask,
        smooth_noise(mask.shape, 2.0, rng),
        [(paved, rng.uniform(0.35, 0.5)), (grass, 1.0)],
    )
    codes[rectangles(mask, 0.22, angle, rng, longest=9.0)] = building
    codes[mask & line(mask.shape, angle, rng.uniform(-12, 12), 0.8)] = Land.ROAD


def direction(shape: tuple[int, int], angle: float) -> Field:
    """A field that grows from -1 to 1 across the window along ``angle``."""
    rows, columns = np.indices(shape, dtype=np.float64)
    field = columns * np.cos(angle) + rows * np.sin(angle)
    span = max(float(field.max() - field.min()), 1.0)
    scaled: Field = 2.0 * (field - field.min()) / span - 1.0
    return scaled


def _field_edges(shape: tuple[int, int], rng: np.random.Generator) -> Mask:
    """Borders between the cells nearest to random points: one point for about 6 ha."""
    count = max(2, shape[0] * shape[1] // 600)
    seeds = rng.uniform(0, 1, (count, 2)) * shape
    rows, columns = np.indices(shape)
    nearest = np.zeros(shape, dtype=np.int64)
    best = np.full(shape, np.inf)
    for number, (row, column) in enumerate(seeds):
        distance = (rows - row) ** 2 + (columns - column) ** 2
        closer = distance < best
        nearest[closer] = number
        best[closer] = distance[closer]
    edges = np.zeros(shape, dtype=bool)
    edges[1:, :] |= _hedged(nearest[1:, :], nearest[:-1, :])
    edges[:, 1:] |= _hedged(nearest[:, 1:], nearest[:, :-1])
    return edges


def _hedged(a: NDArray[np.int64], b: NDArray[np.int64]) -> Mask:
    """About half of the borders between fields have a hedge, each along its whole length."""
    mask: Mask = (a != b) & ((a + b) % 2 == 0)
    return mask
