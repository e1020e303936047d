"""What comes with a particle: labels in the design's words, foreign matter, clusters, droplets, blanks."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from xfelspi.errors import InputError
from xfelspi.simulate import Company, Experiment, Scene, load_recipe, without

SMALL = ["detector.rows=64", "detector.columns=64", "detector.pixel_size_m=0.8e-3"]
SHARES = ["company.contaminated=0.3", "company.droplet=0.2", "company.blank=0.1"]


def shots(*settings, n=600, seed=2):
    experiment = Experiment(load_recipe("benchmark", [*SMALL, *settings]), seed)
    return experiment, [experiment.draw(i) for i in range(n)]


def test_a_pair_is_a_single_and_one_of_the_negatives():
    _, drawn = shots(*SHARES, "company.trace_probability=0.5", n=3000)
    labels = np.array([shot.scene.label for shot in drawn]).reshape(-1, 2)
    assert ((labels == "single").sum(axis=1) == 1).all()
    counts = Counter(labels.ravel().tolist())
    n = counts.total() - counts["single"]
    for label, share in (("contaminated", 0.3), ("droplet", 0.2), ("blank", 0.1), ("multiple", 0.4)):
        assert abs(counts[label] - share * n) < 4.5 * math.sqrt(share * (1 - share) * n)


def test_labels_follow_what_was_drawn():
    """One particle with foreign matter of more than 5 % of its electrons is contaminated, less is single."""
    _, drawn = shots(*SHARES, "company.trace_probability=0.5", n=1500)
    seen = set()
    for shot in drawn:
        scene = shot.scene
        seen.add(scene.label)
        own = sum(p.electrons for p in scene.particles)
        foreign = sum(p.electrons for p in scene.foreign)
        expected = {0: "droplet" if scene.foreign else "blank", 1: None}.get(len(scene.particles), "multiple")
        if expected is None:
            expected = "contaminated" if foreign > 0.05 * own else "single"
        assert scene.label == expected
    assert seen == {"single", "multiple", "contaminated", "droplet", "blank"}
    singles = [s.scene for s in drawn if s.scene.label == "single"]
    with_traces = [s for s in singles if s.foreign]
    assert abs(len(with_traces) / len(singles) - 0.5) < 0.1
    assert all(0.002 <= s.foreign_fraction <= 0.05 for s in with_traces)


def test_natural_shots_are_left_to_chance():
    _, drawn = shots('sample.arrival="natural"', "company.contaminated=0.3", "company.droplet=0.25", n=3000)
    labels = Counter(shot.scene.label for shot in drawn)
    one = math.exp(-1.0)  # Poisson of mean 1: as often one as none
    for label, share in (
        ("multiple", 1 - 2 * one),
        ("blank", one * 0.75),
        ("droplet", one * 0.25),
        ("single", one * 0.7 * 0.75),
    ):
        assert abs(labels[label] / 3000 - share) < 0.04, label


def test_a_droplet_beside_particles_has_a_place_of_its_own():
    """It touches none of them, and meets the same focus."""
    fluence = "sample.relative_fluence=[0.2, 1.0]"
    _, drawn = shots('sample.arrival="natural"', "company.droplet=0.6", fluence, n=600)
    brightness, beside = [], 0
    for shot in drawn:
        for droplet in shot.scene.foreign:
            brightness.append(droplet.relative_fluence)
            for particle in shot.scene.particles:
                beside += 1
                apart = math.dist(droplet.position_nm, particle.position_nm)
                touching = (droplet.diameter_nm + particle.outer_diameter_nm) / 2.0
                assert touching * (1 - 1e-6) <= apart
    assert beside > 200
    assert 0.2 <= min(brightness) < 0.25
    assert 0.9 < max(brightness) <= 1.0
    spread = np.log(np.array(brightness) / 0.2) / np.log(5.0)  # uniform
    assert abs(spread.mean() - 0.5) < 4.5 / math.sqrt(12 * spread.size)


@pytest.mark.parametrize("term", ["sizes", "contact"])
def test_how_a_cluster_lies_does_not_move_what_it_carries(term):
    full = load_recipe("lcls-amo", [*SMALL, "company.trace_probability=0.7"])
    both = [Experiment(recipe, seed=3) for recipe in (full, without(full, [term]))]
    seen = 0
    for i in range(200):
        one, other = (each.draw(i).scene for each in both)
        assert one.label == other.label
        assert [p.orientation for p in one.foreign] == [p.orientation for p in other.foreign]
        seen += len(one.particles) > 1 and len(one.foreign) > 0
    assert seen > 20


def test_a_host_with_a_heavy_core_makes_larger_pieces():
    """What is too large for the detector is refused before the run, not in the middle of it."""
    settings = ["sample.diameter_nm=300", "company.contaminated=1.0", "company.foreign_fraction=[5, 6]"]
    heavy = ["body.core_probability=1.0", "body.core_size=[0.9, 0.99]", "body.core_density=[4, 5]"]
    Experiment(load_recipe("benchmark", settings), seed=0)
    with pytest.raises(InputError, match="speckles"):
        Experiment(load_recipe("benchmark", [*settings, *heavy]), seed=0)


def test_particles_that_scatter_light_more_than_once_are_refused():
    """By the phase that a wave gains in the middle; the sentence says what would do."""
    far = ["detector.distance_m=20", "sample.diameter_spread=0"]
    for density, fits_nm in ((430.0, 2.1e3), (4660.0, 196.0)):  # protein; gold
        settings = [*far, f"sample.electrons_per_nm3={density}"]
        for shrunk in (0.8, 1.25):
            recipe = load_recipe("ideal", [*settings, f"sample.diameter_nm={fits_nm * shrunk}"])
            if shrunk < 1:
                Experiment(recipe, seed=0)
                continue
            with pytest.raises(InputError, match=r"more than once; shrink it below \d+ nm"):
                Experiment(recipe, seed=0)


def test_foreign_matter_has_the_electrons_that_were_drawn_and_its_place():
    _, drawn = shots("company.contaminated=1.0", "company.foreign_fraction=[0.2, 0.2]", n=400)
    scenes = [shot.scene for shot in drawn if shot.scene.label == "contaminated"]
    assert len(scenes) == 200
    caps = rods = 0
    for scene in scenes:
        (host,), (piece,) = scene.particles, scene.foreign
        assert scene.foreign_fraction == pytest.approx(0.2)
        way = np.subtract(piece.position_nm, host.position_nm)
        distance = float(np.linalg.norm(way))
        way = way / distance
        gap = distance - host.reach_nm(way) - piece.reach_nm(-way)
        assert gap < 2.0 * host.diameter_nm
        assert piece.relative_fluence == host.relative_fluence
        caps += gap < -1e-6
        rods += piece.stretch is not None
    assert 0.55 < caps / 200 < 0.85  # satellite_share 0.3
    assert 0.05 < rods / 200 < 0.27


def test_clusters_touch_and_do_not_overlap():
    _, drawn = shots("company.contact_probability=1", "sample.multiplicity=[1.0]", "body.stretch=0.2", n=200)
    pairs = [shot.scene.particles for shot in drawn if len(shot.scene.particles) == 2]
    assert len(pairs) == 100
    for a, b in pairs:
        way = np.subtract(b.position_nm, a.position_nm)
        distance = float(np.linalg.norm(way))
        assert distance == pytest.approx(a.reach_nm(way / distance) + b.reach_nm(-way / distance), rel=1e-9)
        assert distance <= max(a.diameter_nm, b.diameter_nm) * 1.001


def test_flat_bodies_of_unlike_size_find_room_in_a_cluster():
    """A small one may touch two flat ones that lie nearer to each other than the largest is wide."""
    _, drawn = shots(
        'sample.shape="cube"',
        "company.contact_probability=1",
        "company.size_ratio=[0.4, 1.6]",
        "sample.multiplicity=[0.0, 0.0, 1.0]",
        "body.stretch=0.5",
        n=120,
    )
    for scene in (shot.scene for shot in drawn):
        for a, b in combinations(scene.particles, 2):
            way = np.subtract(b.position_nm, a.position_nm)
            distance = float(np.linalg.norm(way))
            assert distance >= (a.reach_nm(way / distance) + b.reach_nm(-way / distance)) * (1 - 1e-9)


def test_sizes_differ_as_asked():
    _, drawn = shots(
        "company.size_ratio=[0.5, 1.2]", "sample.diameter_spread=0", "sample.multiplicity=[1.0]", n=800
    )
    ratios = [
        b.diameter_nm / a.diameter_nm
        for a, b in (s.scene.particles for s in drawn if len(s.scene.particles) == 2)
    ]
    assert min(ratios) >= 0.5
    assert max(ratios) <= 1.2
    assert np.mean(np.log(ratios)) == pytest.approx((math.log(0.5) + math.log(1.2)) / 2, abs=0.05)


def test_truth_tells_what_is_foreign():
    experiment, drawn = shots(*SHARES, n=40)
    for i, shot in enumerate(drawn):
        _, truth = experiment.pattern(i)
        assert truth.label == shot.scene.label
        assert truth.n_particles == len(shot.scene.particles) == len(truth.photons)
        np.testing.assert_equal(truth.foreign_fraction, shot.scene.foreign_fraction)
        if truth.label == "blank":
            assert truth.expected_photons == pytest.approx(truth.background_photons, rel=0.3)


def test_foreign_matter_interferes():
    """Particle and satellite fringe; the light of both is not the sum of the light of each."""
    _, drawn = shots("company.contaminated=1.0", "company.satellite_share=1.0", n=20)
    experiment, _ = shots(n=2)
    from xfelspi.simulate import scattered_light

    scene = next(s.scene for s in drawn if s.scene.label == "contaminated")
    pulse, detector = drawn[0].pulse, experiment.recipe.detector
    both = scattered_light(scene, pulse, detector)
    parts = [scattered_light(Scene((body,)), pulse, detector).photons for body in scene.bodies]
    cross = both.photons - sum(parts)
    assert np.abs(cross).max() > 0.1 * both.photons.max()
    assert (np.abs(cross) <= 2.05 * np.sqrt(parts[0] * parts[1]) + 1e-3 * both.photons.max()).all()
    assert len(both.own) == 2


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("company.contaminated=1.5", "company.contaminated is 1.5; it must lie between 0 and 1"),
        ("company.blank=nan", "company.blank is nan"),
        ("company.foreign_fraction=[0.01, 0.5]", "between 0.051 and 10, low end first"),
        ("company.size_ratio=[1.2, 0.5]", "low end first"),
        ("company.foreign_material=gold", "no material called 'gold'"),
        ("company.foe=1", "no setting company.foe; there are contaminated"),
        ("body.ripple=-0.1", "body.ripple is -0.1; it must lie between 0 and 0.7"),
        ("body.core_size=[0.5, 1.0]", "body.core_size"),
        ("body.family=[]", "body.family is empty"),
        ("body.family_blobs=0", "body.family_blobs is 0; it must lie between 1 and 16"),
        ("body.family_core_probability=2", "body.family_core_probability is 2; it must lie between 0 and 1"),
    ],
)
def test_wrong_settings_are_refused(setting, words):
    with pytest.raises(InputError, match=words.replace("[", r"\[").replace("(", r"\(")):
        load_recipe("ideal", [setting])


def test_shares_add_up_to_one_at_most():
    with pytest.raises(InputError, match=r"add up to 1\.2"):
        Company(contaminated=0.5, droplet=0.5, blank=0.2)


def test_a_droplet_too_large_to_sample_is_refused_before_anything_runs():
    with pytest.raises(InputError, match="drawn up to"):
        Experiment(load_recipe("benchmark", ["company.droplet=0.1", "company.droplet_nm=[50.0, 2000.0]"]), 0)
