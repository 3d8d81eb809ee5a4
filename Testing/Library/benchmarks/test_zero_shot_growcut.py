"""GrowCut by shortest paths against the cellular automaton, cell by cell."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from Testing.Benchmarks.zero_shot.growcut import attack_graph, conquered


def automaton(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Vezhnevets and Konouchine 2005, section 3, until nothing changes; labels 1, 2, 0 unknown."""
    rows, columns = labels.shape
    largest = np.linalg.norm(pixels, axis=-1).max()
    label, strength = labels.copy(), (labels > 0).astype(float)
    changed = True
    while changed:
        changed = False
        before_label, before = label.copy(), strength.copy()
        for row in range(rows):
            for column in range(columns):
                for down, across in np.argwhere(np.ones((3, 3))) - 1:
                    r, c = row + down, column + across
                    if not (0 <= r < rows and 0 <= c < columns):
                        continue
                    step = np.linalg.norm(pixels[row, column] - pixels[r, c])
                    attack = (1 - step / largest) * before[r, c]
                    if attack > strength[row, column]:
                        strength[row, column] = attack
                        label[row, column] = before_label[r, c]
                        changed = True
    return label


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(2, 9), st.sampled_from([1, 3]))
def test_shortest_paths_are_where_the_automaton_comes_to_rest(
    seed: int, rows: int, columns: int, channels: int
) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.uniform(0.05, 1, (rows, columns, channels)).astype(np.float32)
    labels = np.zeros(rows * columns, int)
    places = rng.permutation(rows * columns)[:4]
    labels[places] = [1, 2, 1, 2][: len(places)]
    labels = labels.reshape(rows, columns)
    inside = conquered(attack_graph(pixels), labels == 1, labels == 2)
    assert np.array_equal(inside, automaton(pixels.astype(float), labels) == 1)


def test_decay_divides_an_even_area_in_the_middle() -> None:
    pixels = np.full((1, 21, 1), 0.5, np.float32)
    include, exclude = np.zeros((1, 21), bool), np.zeros((1, 21), bool)
    include[0, 0] = exclude[0, 20] = True
    inside = conquered(attack_graph(pixels, decay=0.01), include, exclude)
    assert inside[0, :10].all() and not inside[0, 11:].any()


def test_what_no_seed_reaches_is_outside() -> None:
    graph = attack_graph(np.ones((3, 3, 1), np.float32))
    nothing = np.zeros((3, 3), bool)
    assert not conquered(graph, nothing, ~nothing).any()
    assert conquered(graph, ~nothing, nothing).all()
