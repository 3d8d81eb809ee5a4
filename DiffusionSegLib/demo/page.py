"""One HTML file that holds everything: it opens offline and asks nothing of the network."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from html import escape

from PIL import Image as Pillow

from DiffusionSegLib.demo.overlay import PlanePictures
from DiffusionSegLib.demo.run import SampleResult
from DiffusionSegLib.demo.style import STYLE
from DiffusionSegLib.evaluation.explaining import Explained
from DiffusionSegLib.evaluation.picture import COLOR_MAPS, PREDICTION_COLOR, TRUTH_COLOR

_PLANE_TITLES = {
    "axial": "axial slice",
    "coronal": "coronal slice",
    "sagittal": "sagittal slice",
    "picture": "",
}


def render_page(results: Sequence[SampleResult], machine: str, version: str) -> str:
    """The whole page; `machine` and `version` say what the times and numbers belong to."""
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>DiffusionSeg demonstration</title><style>{STYLE}</style></head><body>",
            _introduction(results, machine, version),
            _table(results),
            *(_article(result) for result in results),
            _sources(results),
            "</body></html>\n",
        ]
    )


def _introduction(results: Sequence[SampleResult], machine: str, version: str) -> str:
    total = sum(result.seconds for result in results)
    return (
        "<h1>DiffusionSeg: outlines from generative diffusion models</h1>"
        '<p class="lead">Real images, each outlined by a generative diffusion model (a network '
        "that removes noise step by step; this is <strong>not diffusion MRI</strong>) and compared "
        "with the known outline that was published with the image. ADZUS learned from images "
        "alone, without outlines: it is told where to look by what each of its titles says. "
        "DiffuGTS is asked in words, and draws what it found again as if it were healthy: what "
        "differs from that is outlined.</p>"
        '<p class="warning">For research. Not for clinical use.</p>'
        f'<p class="faint">{len(results)} images, {total:.1f} seconds of computing on '
        f"{escape(machine)}, DiffusionSeg {escape(version)}. Dice is 1 for identical outlines and "
        "0 for outlines that do not touch.</p>"
    )


def _table(results: Sequence[SampleResult]) -> str:
    rows = "".join(_table_row(result) for result in results)
    return (
        '<div class="table"><table><thead><tr><th>Image</th><th class="number">Dice</th>'
        '<th>Verdict</th><th class="number">Seconds</th><th>Model</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _table_row(result: SampleResult) -> str:
    sample = result.sample
    verdict = _verdict(result) if result.error is None else "failed"
    return (
        f'<tr><td><a href="#{escape(sample.id)}">{escape(sample.title)}</a> '
        f'<span class="faint">{escape(sample.id)}</span></td>'
        f'<td class="number">{_decimals(result.dice, 3)}</td><td>{verdict}</td>'
        f'<td class="number">{_decimals(result.seconds or math.nan, 1)}</td>'
        f"<td>{escape(sample.method)}/{escape(sample.model)}</td></tr>"
    )


def _article(result: SampleResult) -> str:
    sample = result.sample
    head = (
        f'<article id="{escape(sample.id)}"><header class="sample"><h2>{escape(sample.title)}</h2>'
        f'<span class="faint">{escape(sample.id)}, {escape(" + ".join(sample.modality))}</span>'
        "</header>"
    )
    if result.error is not None:
        return f'{head}<p class="warning">{escape(result.error)}</p></article>'
    rows = "".join(_row(plane, result) for plane in result.pictures)
    return f"{head}{_facts(result)}{rows}</article>"


def _facts(result: SampleResult) -> str:
    dices = [f"<span>Dice {escape(name)} <b>{value:.3f}</b></span>" for name, value in result.dices]
    if len(dices) > 1:
        dices.append(f"<span>mean <b>{result.dice:.3f}</b></span>")
    held_out = f"<span>from the model's {escape(result.split)} split</span>" if result.split else ""
    reason = escape(result.proposal.verdict.reason) if result.proposal else ""
    rule = result.proposal.provenance.rule if result.proposal else ""
    reason += f" Outlined by the rule “{escape(rule)}”." if rule else ""
    return (
        f'<div class="facts"><span>{_verdict(result)}</span>{"".join(dices)}'
        f"<span><b>{result.seconds:.1f}</b> s on {escape(result.device)}</span>"
        f"<span>{escape(result.sample.method)}/{escape(result.sample.model)}</span>{held_out}</div>"
        f'<p class="faint">{reason}</p>'
    )


def _verdict(result: SampleResult) -> str:
    if result.proposal is None:
        return ""
    verdict = result.proposal.verdict
    words = verdict.state.name.replace("_", " ").lower()
    return f'<b class="{verdict.state.name}">{words}</b> ({verdict.score:.2f})'


def _row(plane: PlanePictures, result: SampleResult) -> str:
    where = _PLANE_TITLES[plane.plane]
    figures = [
        _figure(picture, _joined(title, where))
        for picture, title in zip(plane.channels, result.channel_titles, strict=False)
    ]
    figures.append(_figure(plane.outlines, _outline_key()))
    figures.append(_figure(plane.probability, "probability" + _bar("inferno", "0", "1")))
    if plane.uncertainty is not None:
        highest = f"{result.largest_spread:.2f}"
        bar = _bar("viridis", "0", highest)
        figures.append(_figure(plane.uncertainty, f"uncertainty{bar}"))
    figures += [_figure(one.picture, _explained(one)) for one in plane.explained]
    return f'<div class="row">{"".join(figures)}</div>'


def _explained(one: Explained) -> str:
    if not one.color_map:
        return escape(one.name)
    return escape(one.name) + _bar(one.color_map, f"{one.low:.3g}", f"{one.high:.3g}")


def _joined(title: str, where: str) -> str:
    return escape(f"{title}, {where}" if where else title)


def _outline_key() -> str:
    """A colour is always named in words too."""
    return "".join(
        f'<span style="white-space:nowrap;margin-right:.8em">'
        f'<span class="key" style="background:rgb{color}"></span>{name}</span>'
        for name, color in (("known outline", TRUTH_COLOR), ("prediction", PREDICTION_COLOR))
    )


def _bar(color_map: str, low: str, high: str) -> str:
    colors = ", ".join(f"rgb{color}" for color in COLOR_MAPS[color_map])
    gradient = f"background:linear-gradient(to right, {colors})"
    return f'<span class="bar">{low}<i style="{gradient}"></i>{high}</span>'


def _figure(picture: Pillow.Image, caption: str) -> str:
    alternative = escape(caption.split("<")[0] or "outlines on the image")
    return (
        f'<figure><img alt="{alternative}" width="{picture.width}" height="{picture.height}" '
        f'src="{_embedded(picture)}"><figcaption>{caption}</figcaption></figure>'
    )


def _embedded(picture: Pillow.Image) -> str:
    """As JPEG without colour subsampling: small, and thin coloured lines stay crisp."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, format="JPEG", quality=90, subsampling=0, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _sources(results: Sequence[SampleResult]) -> str:
    """Each source once, and each model once."""
    images: dict[str, str] = {}
    for sample in (result.sample for result in results):
        images.setdefault(
            sample.attribution,
            f"<li>{escape(sample.title)}: {escape(sample.attribution)}. "
            f'<a href="{escape(sample.licence_url)}">{escape(sample.licence)}</a>. '
            f"Changes: {escape(sample.changes or 'none')}</li>",
        )
    models = {
        result.model.id: f"<li>{escape(result.model.id)}: {escape(result.model.title)}. "
        f"{escape(result.model.citation)} Licence: {escape(str(result.model.licence.name))}.</li>"
        for result in results
        if result.model is not None
    }
    return (
        "<article><h2>Images</h2><ul>"
        + "".join(images.values())
        + "</ul><h2>Models</h2><ul>"
        + "".join(models.values())
        + "</ul></article>"
    )


def _decimals(value: float, count: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{count}f}"
