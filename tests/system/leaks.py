"""No secret and no buyer's data in what the program prints, logs and keeps."""

from pathlib import Path

from program import Program

SHORTEST = 5
"""Minimum length of a value to search for: a shorter one may occur by chance."""


def check(program: Program) -> int:
    """Look for every value that must not be seen in all that the program has left behind.

    Returns:
        How many values were looked for.
    """
    world = program.simulator.world
    values = (
        world.personal_data()
        | world.secrets()
        | {program.odoo.access(program.protocol)["password"]}
    )
    hidden = {value for value in values if len(value) > SHORTEST}
    for place, text in left_behind(program).items():
        for value in hidden:
            assert value not in text, (place, value)
    return len(hidden)


def left_behind(program: Program) -> dict[str, str]:
    """Everything but the configuration, where the user wrote the secrets."""
    left: dict[str, str] = {}
    for run in program.runs:
        place = f"printed: {' '.join(run.arguments)}"
        left[place] = left.get(place, "") + run.out + run.err
    files = [path for path in program.folder.rglob("*") if path.is_file()]
    return left | {str(path): _read(path) for path in files if path.name != "bridge.yaml"}


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")
