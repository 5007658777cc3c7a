"""Writes the seeds of the target `font`: fonts of a few letters, each with another way to draw, name or place them.

    pip install fonttools==4.68.0 && python fuzz/fonts.py

The letters are boxes and arcs drawn here, so no font of others is in them.
"""

from pathlib import Path

from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont, newTable
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0
from fontTools.ttLib.tables.TupleVariation import TupleVariation

SEEDS = Path(__file__).parent / "seeds" / "font"
LETTERS = {".notdef": None, "space": " ", "H": "H", "a": "a", "f": "f", "i": "i", "f_i": None, "acute": "\u0301", "aacute": "\u00e1",
           "beh": "\u0628", "beh.init": None, "beh.medi": None, "beh.fina": None, "alef": "\u05d0", "deva": "\u0915"}
FEATURES = """
languagesystem DFLT dflt;
languagesystem latn dflt;
languagesystem arab dflt;
feature liga { sub f i by f_i; } liga;
feature ccmp { sub a acute by aacute; } ccmp;
feature calt { sub H' a by f; } calt;
feature init { script arab; sub beh by beh.init; } init;
feature medi { script arab; sub beh by beh.medi; } medi;
feature fina { script arab; sub beh by beh.fina; } fina;
feature kern { pos H a -80; pos [H f] [a i] <10 0 20 0>; } kern;
markClass acute <anchor 200 500> @ABOVE;
feature mark { pos base a <anchor 250 520> mark @ABOVE; pos base i <anchor 100 700> mark @ABOVE; } mark;
"""


def draw(pen, name, quadratic):
    """A box whose place tells the letter, and an arc over it."""
    left = 40 + 10 * len(name)
    top = 300 + 37 * (ord(name[0]) % 9)
    pen.moveTo((left, 0))
    pen.lineTo((left, top))
    if quadratic:
        pen.qCurveTo((left + 120, top + 160), (left + 240, top + 100), (left + 300, top))
    else:
        pen.curveTo((left + 100, top + 160), (left + 240, top + 100), (left + 300, top))
    pen.lineTo((left + 300, 0))
    pen.closePath()


def font(outlines, features=FEATURES, letters=LETTERS, units=1000):
    """A font with outlines `glyf` or `cff`."""
    names = list(letters)
    builder = FontBuilder(units, isTTF=outlines == "glyf")
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(character): name for name, character in letters.items() if character})
    glyphs = {}
    for name in names:
        pen = TTGlyphPen(glyphs) if outlines == "glyf" else T2CharStringPen(420, None)
        if outlines == "glyf" and name == "aacute":
            pen.addComponent("a", (1, 0, 0, 1, 0, 0))
            pen.addComponent("acute", (0.5, 0, 0.2, 0.5, 60, 300))
        elif name != "space":
            draw(pen, name, outlines == "glyf")
        glyphs[name] = pen.glyph() if outlines == "glyf" else pen.getCharString()
    if outlines == "glyf":
        builder.setupGlyf(glyphs)
    else:
        builder.setupCFF("Seed", {}, glyphs, {})
    builder.setupHorizontalMetrics({name: (0 if name == "acute" else 420, 40) for name in names})
    builder.setupHorizontalHeader(ascent=900, descent=-250)
    builder.setupNameTable({"familyName": "Seed", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=900, sTypoDescender=-250)
    builder.setupPost(keepGlyphNames=False)
    if features:
        addOpenTypeFeaturesFromString(builder.font, features)
    return builder


def varied():
    """A variable font of one axis, its outlines moved by gvar."""
    builder = font("glyf", features=None)
    builder.setupFvar([("wght", 100, 400, 900, "Weight")], [])
    variations = {}
    for name in ("H", "a", "beh"):
        points = len(builder.font["glyf"][name].coordinates) + 4
        moved = [(15 * (index % 5), -7 * index) for index in range(points)]
        variations[name] = [TupleVariation({"wght": (0.0, 1.0, 1.0)}, moved)]
    builder.setupGvar(variations)
    return builder.font


def with_cmap(number):
    """The map of characters in another of its formats: 0 is of bytes, 12 of all of Unicode."""
    made = font("glyf", features=None).font
    table = CmapSubtable.newSubtable(number)
    table.platformID, table.platEncID, table.language = (3, 10, 0) if number == 12 else (0, 3, 0)
    table.cmap = {code: name for code, name in made.getBestCmap().items() if number != 0 or code < 256}
    made["cmap"].tables = [table]
    return made


def with_kern():
    """Pairs in the table that came before GPOS."""
    made = font("glyf", features=None).font
    table = KernTable_format_0()
    table.apple, table.coverage, table.tupleIndex = False, 1, None
    table.kernTable = {("H", "a"): -90, ("f", "i"): 30}
    made["kern"] = newTable("kern")
    made["kern"].version, made["kern"].kernTables = 0, [table]
    return made


def main():
    SEEDS.mkdir(parents=True, exist_ok=True)
    few = {name: LETTERS[name] for name in (".notdef", "space", "H", "a")}
    fonts = {
        "glyf.ttf": font("glyf").font,
        "cff.otf": font("cff").font,
        "few.ttf": font("glyf", features=None, letters=few).font,
        "few.otf": font("cff", features=None, letters=few).font,
        "large_units.ttf": font("glyf", features=None, letters=few, units=16384).font,
        "variable.ttf": varied(),
        "kern.ttf": with_kern(),
        "cmap_0.ttf": with_cmap(0),
        "cmap_4.ttf": with_cmap(4),
        "cmap_12.ttf": with_cmap(12),
    }
    for name, made in fonts.items():
        for table in ("name", "OS/2") if name.startswith("few") else ():
            del made[table]
        made["head"].created = made["head"].modified = 0
        made.recalcTimestamp = False
        made.save(SEEDS / name)
    collection = TTCollection()
    collection.fonts = [TTFont(SEEDS / "few.ttf", recalcTimestamp=False), TTFont(SEEDS / "few.otf", recalcTimestamp=False)]
    collection.save(SEEDS / "collection.ttc")
    without_outlines = TTFont(SEEDS / "few.ttf", recalcTimestamp=False)
    del without_outlines["glyf"], without_outlines["loca"]
    without_outlines.save(SEEDS / "no_outlines.ttf")


if __name__ == "__main__":
    main()
