"""What `xfel embed` promises: a page, tables to fill in, and labels made of them."""

import csv
import re

import h5py
import numpy as np
import pytest
from toy_shots import frames, write_simulated
from typer.testing import CliRunner

from xfelspi.cli import app
from xfelspi.patterns import PatternSet

N = 90


def xfel(*arguments):
    """Run a command in this process; returns the result with exit code and output."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """A file with singles and multiples, and its map in a folder beside."""
    folder = tmp_path_factory.mktemp("embed")
    file = write_simulated(folder / "toy.h5", N)
    made = xfel("embed", file, "--out", folder / "map", "--clusters", 4, "--neighbours", 20)
    assert made.exit_code == 0, made.output
    assert "% right" in made.output
    return file, folder / "map"


@pytest.fixture
def table(mapped):
    """The clusters, empty again when the test is over."""
    path = mapped[1] / "clusters.csv"
    before = path.read_text()
    yield path
    path.write_text(before)


def fill(table, truth):
    """Write what most patterns of each cluster are."""
    with table.with_name("coordinates.csv").open() as file:
        cluster = np.array([int(row["cluster"]) for row in csv.DictReader(file)])
    lines = ["cluster,n,label"]
    lines += [f"{c},{(cluster == c).sum()},{round(truth[cluster == c].mean())}" for c in range(4)]
    table.write_text("\n".join(lines) + "\n")


def test_a_map_is_tables_and_a_page_that_needs_nothing_else(mapped):
    _, folder = mapped
    assert sorted(path.name for path in folder.iterdir()) == ["clusters.csv", "coordinates.csv", "embed.html"]
    with (folder / "coordinates.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == list(range(N))
    assert np.isfinite([float(row["psi10"]) for row in rows]).all()
    with (folder / "clusters.csv").open() as file:
        clusters = list(csv.DictReader(file))
    assert sum(int(row["n"]) for row in clusters) == N
    assert {row["label"] for row in clusters} == {""}
    page = (folder / "embed.html").read_text("utf-8")
    assert page.count("<img") == 2 + len(clusters)
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


def test_the_page_says_how_to_label_as_the_file_was_opened(mapped, tmp_path):
    file, _ = mapped
    with PatternSet.open(file) as patterns:
        mask = patterns.mask | (np.indices(patterns.shape)[0] < 30)
    np.save(tmp_path / "mask.npy", mask)
    out = tmp_path / "map"
    made = xfel("embed", file, "--mask", tmp_path / "mask.npy", "--out", out, "--clusters", 4)
    assert made.exit_code == 0, made.output
    (command,) = re.findall(r"xfel embed [^<]* --labels [^<]*", (out / "embed.html").read_text("utf-8"))
    fill(out / "clusters.csv", np.ones(N))
    labelled = xfel(*command.split()[1:])
    assert labelled.exit_code == 0, labelled.output


def test_filled_clusters_become_labels_of_patterns(mapped, table):
    file, folder = mapped
    with PatternSet.open(file) as patterns:
        truth = patterns.labels
    fill(table, truth)
    labelled = xfel("embed", file, "--labels", table)
    assert labelled.exit_code == 0, labelled.output
    share = float(re.search(r"([\d.]+) % of those are right", labelled.output)[1])
    with PatternSet.open(file, labels=folder / "labels.csv") as patterns:
        assert 100 * np.mean(patterns.labels == truth) == pytest.approx(share, abs=0.01)
    assert share > 90
    assert xfel("embed", file, "--labels", table).exit_code == 0  # our own may go
    own = "index,label\n0,1\n1,0\n"
    (folder / "labels.csv").write_text(own)
    refused = xfel("embed", file, "--labels", table)
    assert refused.exit_code == 2
    assert "did not come from these clusters" in " ".join(refused.output.split())
    assert (folder / "labels.csv").read_text() == own
    (folder / "labels.csv").unlink()

    again = xfel("embed", file, "--out", folder)
    assert again.exit_code == 2
    assert "labels filled in" in again.output


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("cluster,n,label\n0,5,yes\n", "the label is 'yes'"),
        ("cluster,n,label\n9,5,1\n", "cluster 9 is not one of 0 ... 3"),
        ("cluster,n,label\n1,5,1\n1,5,0\n", "named twice"),
        ("cluster,n,label\nx,5,1\n", "'x' is not a whole number"),
        ("cluster,n\n1,5\n", "no column 'label'"),
        ("", "no column 'cluster'"),
        ("cluster,n,label\n0,5,\n", "has no labels yet"),
    ],
)
def test_a_table_that_says_nothing_clear_is_refused(mapped, table, content, complaint):
    table.write_text(content)
    refused = xfel("embed", mapped[0], "--labels", table)
    assert refused.exit_code == 2
    assert complaint in " ".join(refused.output.split())
    assert not refused.exception or isinstance(refused.exception, SystemExit)


def test_labels_belong_to_the_file_that_was_mapped(mapped, table, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["patterns"] = frames(np.ones(5, int))
    refused = xfel("embed", tmp_path / "other.h5", "--labels", table)
    assert refused.exit_code == 2
    assert "is not about the 5 patterns" in " ".join(refused.output.split())
    as_many = write_simulated(tmp_path / "toy.h5", N, seed=1)
    refused = xfel("embed", as_many, "--labels", table)
    assert refused.exit_code == 2
    assert f"is not about the {N} patterns" in " ".join(refused.output.split())
    refused = xfel("embed", mapped[0], "--labels", tmp_path / "clusters.csv")
    assert refused.exit_code == 2
    assert "make the map first" in " ".join(refused.output.split())


def test_unknown_features_are_refused(mapped, tmp_path):
    refused = xfel("embed", mapped[0], "--features", "colour", "--out", tmp_path)
    assert refused.exit_code == 2
    assert "no features 'colour'" in refused.output


def test_tables_of_another_and_seeds_that_are_none_are_refused(mapped, tmp_path):
    (tmp_path / "coordinates.csv").write_text("x,y\n1,2\n")
    refused = xfel("embed", mapped[0], "--out", tmp_path)
    assert refused.exit_code == 2
    assert "did not come from xfel embed" in " ".join(refused.output.split())
    assert (tmp_path / "coordinates.csv").read_text() == "x,y\n1,2\n"
    for seed in (-1, 2**32):
        small = ("--clusters", 4, "--neighbours", 20, "--out", tmp_path / "map")
        refused = xfel("embed", mapped[0], "--seed", seed, *small)
        assert refused.exit_code == 2
        assert "must lie between 0" in " ".join(refused.output.split())
