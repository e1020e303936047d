"""A network for each view of a frame, which meet before the last layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from .resnet import Dropout, Trunk


class Towers(nn.Module):
    """The body of a ResNet for each view, their pooled channels side by side; then two logits.

    Stacked as channels of one image, a pixel of the pattern would be weighed together with a lag of the
    Patterson function that has nothing to do with it.

    Parameters
    ----------
    n_views : int
        Channels of the input, one a tower.
    n, m, pooling, width
        Of each tower, see `Trunk`.
    """

    def __init__(self, n_views: int, n: int, m: int, *, pooling: str, width: float) -> None:
        super().__init__()
        towers = [Trunk(n, m, pooling=pooling, width=width) for _ in range(n_views)]
        self.towers = nn.ModuleList(towers)
        self.dropout = Dropout(0.0)
        self.logits = nn.Linear(sum(tower.n_features for tower in towers), 2)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, views, size, size) -> (batch, 2): not single, single."""
        return self.decide(self.see(x))

    def see(self, x: Tensor) -> Tensor:
        """(batch, views, size, size) -> (batch, channels of all towers, size / 8, size / 8)."""
        views = x.split(1, dim=1)
        return torch.cat([tower.see(view) for tower, view in self._each(views)], dim=1)

    def decide(self, seen: Tensor) -> Tensor:
        """Judge what `see` returns -> (batch, 2): not single, single."""
        shares = seen.chunk(len(self.towers), dim=1)
        features = [tower.features(share) for tower, share in self._each(shares)]
        return self.logits(self.dropout(torch.cat(features, dim=1)))

    def _each(self, parts: Sequence[Tensor]) -> Iterator[tuple[Trunk, Tensor]]:
        for tower, part in zip(self.towers, parts, strict=True):
            assert isinstance(tower, Trunk)
            yield tower, part
