"""The smallest poster studies there are."""

HEAD = """
seeds = 1

[recipes.small]
recipe = "benchmark"
settings.detector.rows = 64
settings.detector.columns = 64
settings.beam.photons_per_frame = [5e3, 1e5]
"""

FIRST = """
[depth]
recipe = "small"
blocks = [[1, 1]]
n_train = [40]
patterns_seen = 40
n_test = 20

[table]
recipe = "small"
networks = ["resnet"]
n_train = 40
vgg16_n_train = 40
patterns_seen = 40
n_test = 40
folds = 2
fold_patterns_seen = 20
n_mixed = 40
n_stand_in = 40

[figures]
n_each = 1

[speed]
recipe = "small"
n = 40
sizes = [40]
"""

SECOND = """
[robustness]
n_train = 40
epochs = 1
seeds = 1
n_test = 20
n_many = 40
[robustness.recipes.small]
recipe = "benchmark"
settings.detector.rows = 64
settings.detector.columns = 64
settings.beam.photons_per_frame = [5e3, 1e5]
[robustness.groups]
unseen = ["icosahedron", "soccer", "torus"]
[[robustness.protocol]]
name = "published"
title = "the published network"
recipe = "small"
network = "resnet"
train = ["icosahedron"]
[robustness.noise]
protocol = "published"
shapes = ["torus"]
n = 20
[[robustness.noise.sweep]]
name = "photons"
setting = "beam.photons_per_frame"
values = [[1e3, 1e3], [1e4, 1e4]]

[labels]
recipes = ["small"]
shape = "soccer"
budgets = [20]
n_pool = 160
n_test = 60
patterns_seen = 40
zero_n_train = 20
zero_epochs = 1

[quick]
n_train = 80
n_test = 60
patterns_seen = 40
n_stand_in = 40
budgets = [20]
n_pool = 120
"""


def toy_poster(path, *parts, replaced=()):
    """Write a declaration of some parts; `replaced` are pairs of what stands there and what shall."""
    text = "".join([HEAD, *parts])
    for old, new in replaced:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)
    return path
