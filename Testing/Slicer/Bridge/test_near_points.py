"""Distances in millimetres, whatever the grid."""

from __future__ import annotations

import numpy as np
import pytest

from DiffusionSegBridge.near_points import voxelsNear
from DiffusionSegLib.nouns.geometry import Geometry, as_direction

SHEARED = as_direction(np.array([[1.0, 0.3, 0.0], [0.0, 0.95, 0.1], [0.0, 0.0, 0.99]]))


@pytest.mark.parametrize(
    "geometry",
    [
        Geometry((6, 11, 13), (0.7, 0.9, 2.5), (3.0, -8.0, 1.0)),
        Geometry((6, 11, 13), (0.7, 0.9, 2.5), (3.0, -8.0, 1.0), SHEARED),
        Geometry((6, 11, 13), direction=((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))),
    ],
)
def test_the_ball_of_every_grid(geometry: Geometry) -> None:
    points = [tuple(geometry.kji_to_ras([[2.2, 5.0, 6.7]])[0]), tuple(geometry.corners_ras()[7])]
    near = voxelsNear(points, 3.0, geometry)
    indices = np.stack(np.meshgrid(*map(np.arange, geometry.shape_kji), indexing="ij"), axis=-1)
    centers = geometry.kji_to_ras(indices.reshape(-1, 3))
    distances = [np.linalg.norm(centers - np.array(point), axis=1) for point in points]
    expected = (np.min(distances, axis=0) <= 3.0).reshape(geometry.shape_kji)
    np.testing.assert_array_equal(near, expected)
    assert 5 < near.sum() < near.size


def test_a_point_far_outside_and_no_point() -> None:
    geometry = Geometry((4, 5, 6))
    assert not voxelsNear([(1000.0, 0.0, 0.0)], 5.0, geometry).any()
    assert not voxelsNear([], 5.0, geometry).any()
