import numpy as np
import torch
from scipy.cluster.vq import kmeans2

from DiffusionSegLib.methods.adzus.kmeans import refine_by_kmeans
from DiffusionSegLib.methods.adzus.regions import aggregate_by_resolution
from Testing.Library.methods.adzus.made_maps import made_maps, scene

MAPS = aggregate_by_resolution(made_maps((12, 6)), 1.0)


def test_it_is_plain_k_means():
    start = MAPS[[0, 40, 120]]
    found = refine_by_kmeans(MAPS, start)
    wanted, _ = kmeans2(MAPS.numpy(), start.numpy(), iter=300, minit="matrix")
    assert np.abs(found.numpy() - wanted).max() < 1e-3 * wanted.max()


def test_clusters_are_the_objects():
    objects = scene(12).reshape(-1)
    first = [int(torch.nonzero(objects == one)[0]) for one in range(3)]
    found = refine_by_kmeans(MAPS, MAPS[first])
    nearest = torch.cdist(MAPS, found).argmin(1)
    assert (nearest == objects).float().mean() > 0.9


def test_a_cluster_that_nothing_is_nearest_to_keeps_its_proposal():
    start = torch.cat([MAPS[[0, 120]], torch.full((1, 144), 5.0)])
    assert torch.equal(refine_by_kmeans(MAPS, start)[2], start[2])
