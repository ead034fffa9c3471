"""Run the fuzzing targets: see `scripts/fuzz`."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
import traceback
from pathlib import Path

try:
    import atheris
except ImportError:
    atheris = None
    from fuzz.targets import SEEDS, TARGETS
else:
    with atheris.instrument_imports(include=["httpx"]):  # ours alone: to instrument the rest takes longer than to fuzz
        from fuzz.targets import SEEDS, TARGETS

FINDINGS = Path("fuzz/findings")


def guided(name: str, seconds: int) -> int:
    """Fuzz one target with atheris, in this process, which it ends."""
    corpus = FINDINGS.parent / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    FINDINGS.mkdir(parents=True, exist_ok=True)
    atheris.Setup(
        [sys.argv[0], str(corpus), f"-max_total_time={seconds}", "-max_len=2000", f"-artifact_prefix={FINDINGS}/{name}-"], TARGETS[name]
    )
    atheris.Fuzz()
    return 0


def mutating(name: str, seconds: float, seed: int) -> int:
    """Fuzz one target with mutations of what has been interesting: the number of inputs tried, or -1 after a finding."""
    chance = random.Random(seed)
    pool = list(SEEDS[name])
    until = time.monotonic() + seconds
    count = 0
    while time.monotonic() < until:
        data = mutate(chance, pool)
        count += 1
        try:
            TARGETS[name](data)
        except Exception:
            FINDINGS.mkdir(parents=True, exist_ok=True)
            (FINDINGS / f"{name}-{seed}-{count}").write_bytes(data)
            traceback.print_exc()
            print(f"{name}: {data!r}")
            return -1
        if len(pool) < 500 and chance.random() < 0.01:
            pool.append(data)
    return count


def mutate(chance: random.Random, pool: list[bytes]) -> bytes:
    data = bytearray(chance.choice(pool))
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(data) + 1)
        end = min(at + chance.randrange(8), len(data))
        other = chance.choice(pool)
        start = chance.randrange(len(other) + 1)
        pieces = (b"", chance.randbytes(chance.randrange(4)), bytes(data[at:end]) * 2, other[start : start + 20], chance.choice(SPECIAL))
        data[at:end] = chance.choice(pieces)
    return bytes(data[:2_000])


SPECIAL = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\t",
    b" ",
    b'"',
    b"\\",
    b",",
    b";",
    b":",
    b"%00",
    b"//",
    b"@",
    b"\xff",
    b"0",
    b"9" * 20,
    b"a" * 300,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=int, nargs="?", default=60, help="for each target (default: 60)")
    parser.add_argument("--only", choices=TARGETS, action="append", help="these targets")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--guided", choices=TARGETS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.guided:
        return guided(options.guided, options.seconds)
    failed = []
    for name in options.only or TARGETS:
        if atheris is not None:
            command = [sys.executable, __file__, "--guided", name, str(options.seconds)]
            code = os.spawnv(os.P_WAIT, sys.executable, command)
            print(f"{name}: {'ok' if code == 0 else 'FINDING'}")
            failed += [name] if code else []
            continue
        count = mutating(name, options.seconds, options.seed)
        print(f"{name}: {'FINDING' if count < 0 else f'{count:,} inputs'}", flush=True)
        failed += [name] if count < 0 else []
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
