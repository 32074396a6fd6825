"""Horizontal bars as SVG, drawn without a plotting library."""

from __future__ import annotations

from html import escape

_WIDTH, _LEFT, _ROW, _TOP = 760, 300, 34, 64


def draw_bars(title: str, note: str, rows: list[tuple[str, float, float | None]]) -> str:
    """An SVG of one bar a row: label, value (times as fast as the peer), and the target as a tick."""
    most = max([1.0, *(value for _, value, _ in rows), *(target or 0 for _, _, target in rows)]) * 1.08
    scale = (_WIDTH - _LEFT - 60) / most
    height = _TOP + _ROW * len(rows) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="28" font-size="18" fill="#1b1f24">{escape(title)}</text>',
        f'<text x="16" y="48" font-size="12" fill="#57606a">{escape(note)}</text>',
    ]
    for place, (label, value, target) in enumerate(rows):
        y = _TOP + _ROW * place
        parts.append(
            f'<text x="{_LEFT - 10}" y="{y + 17}" font-size="13" text-anchor="end" fill="#1b1f24">'
            f"{escape(label)}</text>"
        )
        parts.append(f'<rect x="{_LEFT}" y="{y}" width="{value * scale:.1f}" height="24" fill="#2f6f8f"/>')
        parts.append(
            f'<text x="{_LEFT + value * scale + 6:.1f}" y="{y + 17}" font-size="13" fill="#1b1f24">'
            f"{value:.1f}&#215;</text>"
        )
        if target is not None:
            x = _LEFT + target * scale
            parts.append(f'<path d="M{x:.1f} {y - 3}v30" stroke="#c4582c" stroke-width="2"/>')
    x = _LEFT + scale
    parts.append(
        f'<path d="M{x:.1f} {_TOP - 8}v{_ROW * len(rows) + 8}" stroke="#8c959f" stroke-dasharray="3 3"/>'
    )
    parts.append(f'<text x="{x:.1f}" y="{height - 8}" font-size="11" text-anchor="middle">the peer</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
