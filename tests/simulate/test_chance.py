"""The two doors of chance: what is drawn, and what is read out."""

import math
import os
import signal
import sys
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from xfelspi.errors import InputError
from xfelspi.simulate import (
    Beam,
    Detector,
    Experiment,
    Fluctuation,
    ReadOut,
    load_recipe,
    read_out,
    run,
    simulate_to_file,
    unit_of,
)
from xfelspi.simulate.chance import hash64

SMALL = ["detector.rows=64", "detector.columns=64"]


@pytest.fixture(scope="module")
def experiment():
    return Experiment(load_recipe("benchmark", SMALL), seed=7)


@pytest.mark.parametrize("mean", [1e-3, 0.02, 0.3, 0.9, 2.5, 7.0, 9.99, 10.01, 30.0, 400.0, 20_000.0])
def test_counts_are_poisson(mean):
    """χ² of the counts against the Poisson distribution, and mean and variance by their own spread."""
    detector = Detector(hole_pixels=0, gap_rows=0)
    plain = unit_of(detector, ReadOut())
    expected = np.full(detector.shape, mean, dtype=np.float32)
    counts = np.concatenate([read_out(expected, plain, hash64(1, 2, i)).ravel() for i in range(4)])
    mean = float(np.float32(mean))
    n = counts.size
    assert abs(counts.mean() - mean) < 4.5 * math.sqrt(mean / n)
    assert abs(counts.var() / mean - 1.0) < 4.5 * math.sqrt((2.0 + 1.0 / mean) / n)
    low, high = stats.poisson.ppf([1e-3, 1 - 1e-3], mean)
    edges = np.unique(np.linspace(low, high, 30).astype(int))
    probability = np.diff(np.concatenate([[0.0], stats.poisson.cdf(edges, mean), [1.0]]))
    observed = np.bincount(np.searchsorted(edges, counts), minlength=len(edges) + 1)
    enough = probability * n >= 5
    kept, expected_counts = observed[enough], probability[enough] * n
    if len(kept) > 1:
        expected_counts *= kept.sum() / expected_counts.sum()
        assert stats.chisquare(kept, expected_counts).pvalue > 1e-4


def test_neighbouring_pixels_and_frames_are_independent():
    detector = Detector(hole_pixels=0, gap_rows=0)
    plain = unit_of(detector, ReadOut())
    expected = np.full(detector.shape, 0.5, dtype=np.float32)
    a, b = (read_out(expected, plain, hash64(1, 2, i)).astype(float) - 0.5 for i in (5, 6))
    for left, right in ((a, b), (a[:, 1:], a[:, :-1]), (a[1:], a[:-1])):
        correlation = (left * right).mean() / 0.5
        assert abs(correlation) < 4.5 / math.sqrt(left.size)


def test_pixels_that_are_not_there_count_nothing(experiment):
    frame, _ = experiment.pattern(0)
    assert not frame[experiment.recipe.detector.mask != 0].any()


def test_a_pattern_depends_on_recipe_seed_and_index_alone(experiment):
    later_first = [experiment.pattern(i)[0] for i in (5, 3, 5)]
    afresh = Experiment(load_recipe("benchmark", SMALL), seed=7)
    assert_array_equal(later_first[0], afresh.pattern(5)[0])
    assert_array_equal(later_first[0], later_first[2])
    assert_array_equal(later_first[1], afresh.pattern(3)[0])
    assert (afresh.pattern(4)[0] != later_first[1]).any()
    other = Experiment(load_recipe("benchmark", SMALL), seed=8)
    assert (other.pattern(5)[0] != later_first[0]).any()


def test_redrawing_only_the_noise_keeps_the_scene(experiment):
    """A study can hold the scene still: the expectation knows nothing of the read-out's key."""
    expectation = experiment.expect(experiment.draw(0))
    frames = [experiment.read_out(expectation.photons, index).astype(float) for index in range(200)]
    lit = expectation.photons > 1.0
    z = (np.mean(frames, axis=0) - expectation.photons)[lit] / np.sqrt(expectation.photons[lit] / 200)
    assert_allclose(z.std(), 1.0, atol=0.1)


def test_every_pair_holds_a_single_and_a_multiple_in_drawn_order(experiment):
    numbers = np.array([len(experiment.draw(i).scene.particles) for i in range(2000)]).reshape(-1, 2)
    assert ((numbers == 1).sum(axis=1) == 1).all()
    assert abs((numbers[:, 0] == 1).mean() - 0.5) < 0.07
    several = numbers.max(axis=1)
    observed = np.bincount(several, minlength=5)[2:]
    assert stats.chisquare(observed, np.array([0.6, 0.3, 0.1]) * len(several)).pvalue > 1e-4


def test_natural_arrival_draws_poisson_numbers_blanks_included():
    settings = [*SMALL, 'sample.arrival="natural"', "sample.mean_particles=1.2"]
    experiment = Experiment(load_recipe("lcls-amo", settings), seed=1)
    numbers = np.array([len(experiment.draw(i).scene.particles) for i in range(3000)])
    observed = np.bincount(np.minimum(numbers, 5), minlength=6)
    expected = stats.poisson.pmf(np.arange(6), 1.2)
    expected[5] = 1.0 - expected[:5].sum()
    assert stats.chisquare(observed, expected * 3000).pvalue > 1e-4
    blank = int(np.flatnonzero(numbers == 0)[0])
    frame, truth = experiment.pattern(blank)
    assert truth.label == "blank"
    assert truth.n_particles == 0
    assert frame.sum() > 0  # the background is there without a particle
    assert_allclose(truth.background_photons, truth.expected_photons, rtol=0.3)


def test_the_benchmark_draws_what_the_design_says(experiment):
    truths = [experiment.pattern(i)[1] for i in range(1000)]
    totals = np.array([t.expected_photons for t in truths])
    assert stats.kstest(np.log(totals / 5e3) / math.log(20.0), "uniform").pvalue > 1e-4
    share = np.array([t.background_photons / t.expected_photons for t in truths])
    assert_allclose(share.mean(), 0.07, rtol=0.02)
    singles = [t for t in truths if t.label == "single"]
    diameters = np.array([t.diameter_nm[0] for t in singles])
    assert_allclose(diameters.mean(), 69.0, rtol=0.01)
    assert_allclose(diameters.std(), 0.05 * 69.0, rtol=0.1)
    jitter = np.array([t.centre_offset_pixels for t in truths])
    assert_allclose(jitter.std(axis=0), 1.0, rtol=0.1)
    twos = [t for t in truths if t.n_particles == 2]
    steps = [math.dist(*t.position_nm) / t.diameter_nm.max() for t in twos]
    assert stats.kstest(np.log(steps) / math.log(8.0), "uniform").pvalue > 1e-4
    particles = [p for i in range(1000) for p in experiment.draw(i).scene.particles]
    relative = np.array([p.relative_fluence for p in particles])
    assert stats.kstest(np.log(relative / 0.2) / math.log(5.0), "uniform").pvalue > 1e-4
    for t in truths:
        if t.label == "multiple":
            apart = np.linalg.norm(t.position_nm[:, None] - t.position_nm[None], axis=2)
            apart[np.diag_indices(len(apart))] = np.inf
            nearest = apart.min(axis=1)
            assert (nearest >= t.diameter_nm.max() - 1e-9).all()
            assert (nearest <= 8.0 * t.diameter_nm.max() + 1e-9).all()
            relative = t.fluence_per_um2 / t.fluence_per_um2.max()
            assert (relative >= 0.2 - 1e-9).all()
            assert 0.0 < t.runner_up_fraction <= 0.5
            order = np.argsort(t.photons)
            across = t.position_nm[order[-1]] - t.position_nm[order[-2]]
            assert_allclose(t.separation_nm, math.hypot(across[0], across[1]))


def test_expected_photons_are_what_the_frame_holds(experiment):
    z = []
    for i in range(60):
        frame, truth = experiment.pattern(i)
        z.append((frame.sum() - truth.expected_photons) / math.sqrt(truth.expected_photons))
    assert abs(np.mean(z)) < 4.0 / math.sqrt(60)
    assert_allclose(np.std(z), 1.0, atol=0.35)


def test_orientations_are_uniform(experiment):
    """The body's z axis points anywhere with equal chance, and so does its x axis about it."""
    turns = [experiment.draw(i).scene.particles[0].orientation for i in range(2000)]
    w, x, y, z = np.array(turns).T
    assert_allclose(w**2 + x**2 + y**2 + z**2, 1.0)
    height = 1.0 - 2.0 * (x * x + y * y)  # z component of the turned z axis
    assert stats.kstest((height + 1.0) / 2.0, "uniform").pvalue > 1e-4


def test_pulse_energies_are_gamma_distributed():
    rng = np.random.default_rng(0)
    ratios = [Beam(n_modes=4.0).draw(rng).energy_ratio for _ in range(3000)]
    assert stats.kstest(ratios, stats.gamma(4.0, scale=0.25).cdf).pvalue > 1e-4


def test_hits_in_a_gaussian_focus_have_log_uniform_fluence():
    """Even places in a Gaussian give p(fluence) ∝ 1/fluence, down to the hit finder's threshold."""
    beam = Beam(focus_fwhm_um=2.0, smallest_fluence_ratio=0.05)
    rng = np.random.default_rng(0)
    pulse = beam.draw(rng)
    ratios = [pulse.fluence_per_um2(beam.draw_place(rng)) / pulse.peak_fluence_per_um2 for _ in range(3000)]
    assert min(ratios) >= 0.05 * (1 - 1e-12)
    assert stats.kstest(1 - np.log(ratios) / math.log(0.05), "uniform").pvalue > 1e-4


def test_the_field_has_the_mean_spread_and_correlation_it_is_asked_for():
    detector = Detector()
    fluctuation = Fluctuation(rms=0.15, correlation_pixels=64.0)
    rng = np.random.default_rng(0)
    nodes = np.array([fluctuation.draw(rng, detector) for _ in range(1500)])
    assert (nodes > 0).all()
    assert_allclose(nodes.mean(), 1.0, atol=0.005)
    assert_allclose(nodes.std(axis=0).mean(), 0.15, rtol=0.03)
    logs = np.log(nodes)
    logs -= logs.mean()
    lag = 64 // fluctuation.step
    correlation = (logs[:, :, lag:] * logs[:, :, :-lag]).mean() / (logs**2).mean()
    assert_allclose(correlation, math.exp(-0.5), atol=0.05)


def test_without_background_and_field_only_particles_light_the_detector():
    experiment = Experiment(load_recipe("ideal"), seed=0)
    truth = experiment.pattern(0)[1]
    assert truth.background_photons == 0.0
    assert_allclose(truth.centre_offset_pixels, 0.0)
    single = next(t for t in (experiment.pattern(i)[1] for i in range(2)) if t.label == "single")
    assert_allclose(single.photons.sum(), single.expected_photons, rtol=1e-5)


def test_the_default_recipe_spans_the_photons_of_measured_shots():
    """Of PR772, 7e3 to 1.2e5 photons a shot within 128 x 128 pixels; the bulk of ours lies there too."""
    experiment = Experiment(load_recipe("lcls-amo"), seed=0)
    singles = [t for t in (experiment.pattern(i)[1] for i in range(200)) if t.label == "single"]
    totals = np.array([t.expected_photons for t in singles])
    assert 5e3 < np.quantile(totals, 0.1) < np.quantile(totals, 0.9) < 2e5


def test_large_frames_are_written_in_small_blocks():
    """A block holds at most 128 frames of 256 x 256 pixels."""
    tiny = ["sample.diameter_nm=1", "sample.shape=sphere"]
    sizes = [
        Experiment(load_recipe("ideal", [*tiny, f"detector.rows={n}", f"detector.columns={n}"]), 0).block_size
        for n in (64, 256, 512, 1024)
    ]
    assert sizes == [128, 128, 32, 8]


@pytest.mark.skipif(sys.platform != "linux", reason="the killer is inherited by forking")
def test_a_killed_worker_is_said_and_the_same_run_goes_on(tmp_path, monkeypatch):
    recipe = load_recipe("benchmark", SMALL)

    def killed(experiment, index):
        if index >= 128:
            os.kill(os.getpid(), signal.SIGKILL)
        return pattern(experiment, index)

    pattern = Experiment.pattern
    monkeypatch.setattr(Experiment, "pattern", killed)
    with pytest.raises(InputError, match=r"A worker process was killed.*goes on where it was"):
        simulate_to_file(tmp_path / "a.h5", recipe, 256, 7, workers=1)
    monkeypatch.undo()
    computed = []
    monkeypatch.setattr("xfelspi.simulate.run._blocks", partial(_counted, computed, run._blocks))
    simulate_to_file(tmp_path / "a.h5", recipe, 256, 7, workers=1)
    assert computed == [1]  # of the two blocks, the second alone


def _counted(computed, blocks, experiment, n, indices, workers):
    computed.extend(indices)
    return blocks(experiment, n, indices, workers)
