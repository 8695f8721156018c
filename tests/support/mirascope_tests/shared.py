"""The recordings, vectors and documents beside a checkout."""

from pathlib import Path

SHARED = Path(__file__).resolve().parents[4] / "shared"
CORPUS = SHARED / "corpus"
