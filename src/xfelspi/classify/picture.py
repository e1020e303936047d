"""Counts as the pictures that a network trained on photographs takes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

TRANSFORMS = ("log", "sqrt")

_MEAN = (123.68, 116.779, 103.939)  # of ImageNet, red, green, blue, 0 ... 255: Caffe's
_MEAN_SHARE, _DEVIATION_SHARE = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of 255: torchvision's


class Picture(nn.Module):
    """Grey: log of 1 and the counts, or their root, from 0 to 255 at the frame's brightest; three channels.

    The field's usual way to look at a pattern, and so to show it to a network of others: a frame's brightness
    goes, and masked pixels are as dark as those without photons. Grey is three equal channels, which are
    then brought to what the weights expect: their order matters only for the means that are taken off.

    Parameters
    ----------
    transform : {"log", "sqrt"}
        Of counts.
    convention : {"bgr", "rgb"}
        See `Vgg16Weights`.

    Examples
    --------
    >>> picture = Picture("sqrt", "bgr")(torch.tensor([[[0.0, 1.0], [-1.0, 4.0]]]))
    >>> (picture[0, 0] + 103.939).round()
    tensor([[  0., 128.],
            [  0., 255.]])
    """

    offset: Tensor
    scale: Tensor

    def __init__(self, transform: str, convention: str) -> None:
        super().__init__()
        self._is_log = transform == "log"
        if convention == "bgr":
            offset, scale = torch.tensor(_MEAN[::-1]), torch.ones(3)
        else:
            offset, scale = 255 * torch.tensor(_MEAN_SHARE), 255 * torch.tensor(_DEVIATION_SHARE)
        self.register_buffer("offset", offset[:, None, None], persistent=False)
        self.register_buffer("scale", scale[:, None, None], persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, y, x) photons, `MASKED` where unknown -> (batch, 3, y, x)."""
        counts = frames.clamp_min(0)
        shown = counts.log1p() if self._is_log else counts.sqrt()
        white = shown.amax((1, 2), keepdim=True).clamp_min(torch.finfo(shown.dtype).tiny)
        grey = 255 * shown / white
        return (grey[:, None] - self.offset) / self.scale
