"""Short PyTorch references of the networks that timm does not hold.

Each section names its paper. Modules bear the names that checkpoints use, so a state entry's name is
its path. They are written for reading: eager, without options that no fixture needs.

PeleeNet: Wang, Li, Ling, "Pelee: A Real-Time Object Detection System on Mobile Devices", NeurIPS 2018.
DPN: Chen et al., "Dual Path Networks", NIPS 2017 (here its post-activation form of tutorials).
AlexNet: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks", NIPS 2012 (here a smaller form with BatchNorm).
Dynamic convolution: Chen et al., "Dynamic Convolution: Attention over Convolution Kernels", CVPR 2020.
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# --- PeleeNet -----------------------------------------------------------------------------------------


class Unit(nn.Module):
    """conv - bn - relu: PeleeNet activates after the convolution throughout."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)), inplace=True)


class StemBlock(nn.Module):
    def __init__(self, channels: int = 32):
        super().__init__()
        self.stem1 = Unit(3, channels, 3, stride=2)
        self.stem2a = Unit(channels, channels // 2, 1)
        self.stem2b = Unit(channels // 2, channels, 3, stride=2)
        self.stem3 = Unit(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem1(x)
        pooled = F.max_pool2d(x, kernel_size=2, stride=2)
        return self.stem3(torch.cat([pooled, self.stem2b(self.stem2a(x))], dim=1))


class DenseLayer(nn.Module):
    """Two ways of different receptive fields, each growing the input by half of the growth rate."""

    def __init__(self, inputs: int, growth: int, bottleneck_width: int):
        super().__init__()
        half = growth // 2
        inter = int(half * bottleneck_width / 4) * 4
        if inter > inputs / 2:
            inter = int(inputs / 8) * 4
        self.branch1a = Unit(inputs, inter, 1)
        self.branch1b = Unit(inter, half, 3)
        self.branch2a = Unit(inputs, inter, 1)
        self.branch2b = Unit(inter, half, 3)
        self.branch2c = Unit(half, half, 3)

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.branch1b(self.branch1a(x))
        wide = self.branch2c(self.branch2b(self.branch2a(x)))
        return torch.cat([x, narrow, wide], dim=1)


class PeleeNet(nn.Module):
    def __init__(self, num_classes: int = 1000, growth: int = 32, dropout: float = 0.05):
        super().__init__()
        features = OrderedDict(stemblock=StemBlock())
        channels = 32
        for stage, (layers, width) in enumerate([(3, 1), (4, 2), (8, 4), (6, 4)], start=1):
            block = OrderedDict()
            for layer in range(1, layers + 1):
                block[f"denselayer{layer}"] = DenseLayer(channels, growth, width)
                channels += growth
            features[f"denseblock{stage}"] = nn.Sequential(block)
            # No compression: the transition keeps the channels.
            features[f"transition{stage}"] = Unit(channels, channels, 1)
            if stage < 4:
                features[f"pool{stage}"] = nn.AvgPool2d(kernel_size=2, stride=2)
        self.features = nn.Sequential(features)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.adaptive_avg_pool2d(self.features(x), 1).flatten(1)
        return self.classifier(self.dropout(x))


# --- DPN, the post-activation form --------------------------------------------------------------------


class PostDualPathBlock(nn.Module):
    """The first `outputs` channels are the residual path, what follows them the dense path."""

    def __init__(
        self, inputs: int, mid: int, outputs: int, dense: int, groups: int, stride: int, first: bool
    ):
        super().__init__()
        self.outputs = outputs
        self.conv1 = nn.Sequential(
            nn.Conv2d(inputs, mid, 1, bias=False), nn.BatchNorm2d(mid), nn.ReLU(inplace=True)
        )
        self.conv2 = nn.Sequential(
            nn.Conv2d(mid, mid, 3, stride, padding=1, groups=groups, bias=False),
            nn.BatchNorm2d(mid),
            nn.ReLU(inplace=True),
        )
        self.conv3 = nn.Sequential(
            nn.Conv2d(mid, outputs + dense, 1, bias=False), nn.BatchNorm2d(outputs + dense)
        )
        if first:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs + dense, 3, stride, padding=1, bias=False),
                nn.BatchNorm2d(outputs + dense),
            )
        else:
            self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        passed = self.shortcut(x)
        added = self.conv3(self.conv2(self.conv1(x)))
        residual = passed[:, : self.outputs] + added[:, : self.outputs]
        return F.relu(torch.cat([residual, passed[:, self.outputs :], added[:, self.outputs :]], dim=1))


class PostDpn(nn.Module):
    def __init__(
        self,
        num_classes: int,
        stem: int,
        groups: int,
        blocks: tuple[int, ...],
        mid: tuple[int, ...],
        dense: tuple[int, ...],
    ):
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, stem, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        channels = stem
        for stage, outputs in enumerate((256, 512, 1024, 2048)):
            stack = nn.Sequential()
            for index in range(blocks[stage]):
                first = index == 0
                stride = 2 if first and stage > 0 else 1
                stack.append(
                    PostDualPathBlock(channels, mid[stage], outputs, dense[stage], groups, stride, first)
                )
                # A stage's first block has dense channels of its shortcut and of its main way.
                channels = outputs + 2 * dense[stage] if first else channels + dense[stage]
            self.add_module(f"conv{stage + 2}", stack)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv5(self.conv4(self.conv3(self.conv2(self.conv1(x)))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def dpn92_post(num_classes: int) -> PostDpn:
    return PostDpn(num_classes, 64, 32, (3, 4, 20, 3), (96, 192, 384, 768), (16, 32, 24, 128))


def dpn98_post(num_classes: int) -> PostDpn:
    return PostDpn(num_classes, 96, 40, (3, 6, 20, 3), (160, 320, 640, 1280), (16, 32, 32, 128))


# --- Dynamic convolution ------------------------------------------------------------------------------


class RoutingAttention(nn.Module):
    """How much of each expert a sample takes: (N, experts), every row summing to 1."""

    def __init__(self, inputs: int, experts: int, temperature: float):
        super().__init__()
        self.temperature = temperature
        hidden = max(1, inputs // 4)
        self.net = nn.Sequential(
            nn.Conv2d(inputs, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, experts, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        logits = self.net(F.adaptive_avg_pool2d(x, 1)).flatten(1)
        return torch.softmax(logits / self.temperature, dim=1)


class DynamicConv2d(nn.Module):
    """A convolution whose kernel and bias are, for each sample, an attention-weighted sum of experts."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        experts: int = 2,
        temperature: float = 1.0,
    ):
        super().__init__()
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.weight = nn.Parameter(torch.empty(experts, outputs, inputs // groups, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(experts, outputs))
        self.routing = RoutingAttention(inputs, experts, temperature)
        for expert in self.weight:
            nn.init.kaiming_normal_(expert, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        attention = self.routing(x)
        kernels = torch.einsum("nk,koihw->noihw", attention, self.weight)
        biases = attention @ self.bias
        # One convolution for the whole batch: the samples become groups of a single sample.
        n = x.shape[0]
        y = F.conv2d(
            x.flatten(0, 1).unsqueeze(0),
            kernels.flatten(0, 1),
            biases.flatten(),
            self.stride,
            self.padding,
            self.dilation,
            n * self.groups,
        )
        return y.unflatten(1, (n, -1)).squeeze(0)


# --- AlexNet ------------------------------------------------------------------------------------------


class AlexNet(nn.Module):
    """For 128x128 inputs; with `experts`, the last three convolutions are dynamic."""

    def __init__(self, num_classes: int, experts: int = 0, temperature: float = 1.0, dropout: float = 0.5):
        super().__init__()

        def late_conv(inputs: int, outputs: int) -> nn.Module:
            if experts:
                return DynamicConv2d(
                    inputs, outputs, 3, padding=1, experts=experts, temperature=temperature
                )
            return nn.Conv2d(inputs, outputs, 3, padding=1)

        def bn_relu(channels: int) -> tuple[nn.Module, nn.Module]:
            return nn.BatchNorm2d(channels), nn.ReLU(inplace=True)

        self.features = nn.Sequential(
            nn.Conv2d(3, 48, 11, stride=4, padding=5),
            *bn_relu(48),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(48, 128, 5, padding=2),
            *bn_relu(128),
            nn.MaxPool2d(3, stride=2),
            late_conv(128, 192),
            *bn_relu(192),
            late_conv(192, 192),
            *bn_relu(192),
            late_conv(192, 128),
            *bn_relu(128),
            nn.MaxPool2d(3, stride=2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(128 * 3 * 3, 2048),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(2048, 2048),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(2048, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))
