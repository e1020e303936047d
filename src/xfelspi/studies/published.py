"""What was published on this task before: the numbers that ours stand beside, and nothing that is not known.

A ResNet and VGG16 with logistic regression on simulated icosahedra and on measured LCLS shots that are not
public; the diffusion map of Yoon et al. 2011, Opt. Express 19, 16542.
"""

from __future__ import annotations

TABLE = {
    ("sim/sim", "resnet"): 0.998,
    ("exp/exp", "resnet"): 0.946,
    ("exp/exp", "vgg16"): 0.986,
    ("sim/exp", "resnet"): 0.620,
}
"""Accuracy by (protocol, network), the ResNet being the one with (n, m) = (2, 2)."""

MAJORITY = {"sim/exp": 0.584}
"""Accuracy of whoever calls every one of those shots single."""

MISSED = {"icosahedron": 0.0, "soccer": 0.587, "torus": 0.848}
"""Single hits lost by the ResNet(2, 2) that was trained on icosahedra, by shape."""

KEPT = 0.0
"""Multiple hits that it kept, about, of each shape."""

SPEED = {"resnet": (7_000, 30.0, "4 cores"), "diffusion map": (7_214, 150.0, "in 2011")}
"""Images, seconds, and on what."""
