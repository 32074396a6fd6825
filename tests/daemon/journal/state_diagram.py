"""The diagram of a job's states for docs/architecture.md, drawn from the daemon's own table.

python -m tests.daemon.journal.state_diagram
"""

from __future__ import annotations

from mattebox.daemon.journal.states import ENDED, FIRST, TRANSITIONS


def diagram() -> str:
    """A Mermaid state diagram: every state, every way and its reason."""
    lines = [f"    [*] --> {state}: {why}" for state, why in FIRST.items()]
    lines += [
        f"    {state} --> {after}: {why}"
        for state, rest in TRANSITIONS.items()
        for after, why in rest.items()
    ]
    lines += [f"    {state} --> [*]" for state in ENDED]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


if __name__ == "__main__":
    print(diagram())  # noqa: T201 - what it is called for
