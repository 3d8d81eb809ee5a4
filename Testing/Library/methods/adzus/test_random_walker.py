import numpy as np
from scipy import optimize

from DiffusionSegLib.methods.adzus.random_walker import walk_to_guess


def energy(values, features, guess, trust, strength):
    pairs = []
    for axis in (0, 1):
        squares = (np.diff(features, axis=axis) ** 2).sum(-1)
        pairs.append((squares, np.diff(values, axis=axis)))
    mean = np.concatenate([squares.ravel() for squares, _ in pairs]).mean()
    links = sum(((np.exp(-s / mean) + 1e-3) * step**2).sum() for s, step in pairs)
    return strength * links + (trust * (values - guess) ** 2).sum()


def test_the_energy_is_least():
    rng = np.random.default_rng(0)
    features = rng.random((5, 6, 3)).astype(np.float32)
    guess, trust = rng.random((5, 6)), rng.uniform(0.2, 1.0, (5, 6))
    fixed = rng.random((5, 6)) < 0.2
    found = walk_to_guess(features, guess, trust, fixed, 3.0)
    assert (found[fixed] == guess[fixed]).all()

    def of_free(free):
        values = guess.copy()
        values[~fixed] = free
        return energy(values, features, guess, trust, 3.0)

    best = optimize.minimize(of_free, guess[~fixed], method="BFGS")
    assert np.allclose(found[~fixed], best.x, atol=3e-3)


def test_it_spreads_within_a_color_and_stops_at_an_edge():
    features = np.zeros((20, 20, 1), np.float32)
    features[:, 10:] = 1.0
    guess = np.full((20, 20), 0.5)
    fixed = np.zeros((20, 20), bool)
    fixed[10, 2] = fixed[10, 17] = True
    guess[10, 2], guess[10, 17] = 1.0, 0.0
    found = walk_to_guess(features, guess, np.full((20, 20), 1e-3), fixed, 1.0)
    assert found[:, 9].min() > found[:, 10].max()
    assert abs(found[:, 9] - found[:, 10]).mean() > 3 * abs(found[:, 8] - found[:, 9]).mean()


def test_all_fixed_is_the_guess():
    guess = np.random.default_rng(1).random((4, 4))
    found = walk_to_guess(
        np.zeros((4, 4, 1), np.float32), guess, np.ones((4, 4)), np.ones((4, 4), bool), 1.0
    )
    assert (found == guess).all()
