"""The smallest geometry study there is."""

TOY = """
n_train = 40
epochs = 1
seeds = {seeds}
n_test = 40
n_many = 60

[recipes.small]
recipe = "{recipe}"
settings.detector.rows = 64
settings.detector.columns = 64
settings.beam.photons_per_frame = [5e3, 1e5]

[groups]
round = ["sphere"]
"all else" = ["icosahedron", "cube"]

[[protocol]]
name = "A"
title = "spheres alone"
recipe = "small"
train = ["sphere"]
many = ["cube"]

[[protocol]]
name = "C"
recipe = "small"
one_group_out = true

[second]
protocol = "A"
shapes = ["cube"]
n = 40
oracle_shots = 2
settings.sample.relative_fluence = [1e-4, 1.0]

[noise]
protocol = "A"
shapes = ["sphere"]
n = 20

[[noise.sweep]]
name = "photons"
setting = "beam.photons_per_frame"
values = [[1e3, 1e3], [1e4, 1e4]]

[[noise.sweep]]
name = "read noise"
setting = "detector.read_noise_photons"
values = [0.3]

[quick]
n_train = 20
n_test = 20
n_many = 40
epochs = 1
protocols = ["A"]
n_second = 20
n_noise = 20
"""


def toy_geometry(path, *, seeds=1, recipe="benchmark", replaced=()):
    """Write a declaration; `replaced` are pairs of what stands there and what shall."""
    text = TOY.format(seeds=seeds, recipe=recipe)
    for old, new in replaced:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)
    return path
