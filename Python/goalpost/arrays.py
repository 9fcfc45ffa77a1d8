"""What networks are made of, over numpy and over PyTorch, under the same names."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy

from .errors import GoalpostError


class NumpyArrays:
    """numpy, in 32 bits."""

    concatenated = staticmethod(numpy.concatenate)
    clipped = staticmethod(numpy.clip)
    stacked = staticmethod(numpy.stack)

    def array(self, values: Any) -> Any:
        """Numbers of 4 bytes."""
        return numpy.asarray(values, dtype=numpy.float32)

    def to_numpy(self, x: Any) -> numpy.ndarray:
        """The same as numpy's."""
        return numpy.asarray(x)

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        """W x + b."""
        return x @ weight.T + bias

    def rectified(self, x: Any) -> Any:
        """max(0, x)."""
        return numpy.maximum(x, 0)

    def gelu(self, x: Any) -> Any:
        """x Φ(x)."""
        return (x * 0.5 * (1 + numpy.frompyfunc(math.erf, 1, 1)(x / math.sqrt(2)).astype(numpy.float64))).astype(
            x.dtype
        )

    def gelu_tanh(self, x: Any) -> Any:
        """GELU by its formula with tanh."""
        u = x.astype(numpy.float64)
        return (0.5 * u * (1 + numpy.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3)))).astype(x.dtype)

    def tanh(self, x: Any) -> Any:
        """tanh, rounded from 64 bits."""
        return numpy.tanh(x.astype(numpy.float64)).astype(x.dtype)

    def sigmoid(self, x: Any) -> Any:
        """1 / (1 + exp(−x))."""
        return 1 / (1 + numpy.exp(-x))

    def softmax(self, x: Any) -> Any:
        """Along the last axis."""
        e = numpy.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    def normalised(self, x: Any, gain: Any, shift: Any, epsilon: float) -> Any:
        """Rows of mean 0 and variance 1, times a gain, with a shift."""
        centred = x - x.mean(-1, keepdims=True)
        return centred / numpy.sqrt((centred**2).mean(-1, keepdims=True) + numpy.float32(epsilon)) * gain + shift

    def length(self, x: Any) -> Any:
        """The Euclidean length along the last axis, which stays."""
        return numpy.sqrt((x**2).sum(-1, keepdims=True))

    def masked(self, x: Any, mask: numpy.ndarray) -> Any:
        """−∞ where a mask is false."""
        return numpy.where(mask, x, numpy.float32(-numpy.inf))


class TorchArrays:
    """PyTorch, on a device; gradients flow."""

    def __init__(self, device: str | None = None) -> None:
        try:
            import torch
        except ImportError:
            raise GoalpostError("backend 'torch' needs PyTorch: install it, or take the backend 'numpy'") from None
        self._torch, self._device = torch, device
        self.concatenated, self.clipped, self.stacked = torch.cat, torch.clamp, torch.stack
        self.rectified, self.tanh, self.sigmoid = torch.relu, torch.tanh, torch.sigmoid
        self.linear, self.gelu = torch.nn.functional.linear, torch.nn.functional.gelu
        self.gelu_tanh = functools.partial(torch.nn.functional.gelu, approximate="tanh")
        self.softmax = functools.partial(torch.softmax, dim=-1)
        self.length = functools.partial(torch.linalg.vector_norm, dim=-1, keepdim=True)

    def array(self, values: Any) -> Any:
        """Numbers of 4 bytes on the device; what is there already stays as it is."""
        if not isinstance(values, self._torch.Tensor):
            values = self._torch.from_numpy(numpy.array(values, dtype=numpy.float32))
        return values.to(self._device, self._torch.float32)

    def to_numpy(self, x: Any) -> numpy.ndarray:
        """The same as numpy's."""
        return x.detach().cpu().numpy()

    def normalised(self, x: Any, gain: Any, shift: Any, epsilon: float) -> Any:
        """Rows of mean 0 and variance 1, times a gain, with a shift."""
        return self._torch.nn.functional.layer_norm(x, gain.shape, gain, shift, epsilon)

    def masked(self, x: Any, mask: numpy.ndarray) -> Any:
        """−∞ where a mask is false."""
        return x.masked_fill(~self._torch.from_numpy(numpy.array(mask)).to(x.device), -math.inf)


def arrays(backend: str, device: str | None = None) -> NumpyArrays | TorchArrays:
    """The arrays of a backend: `numpy` or `torch`."""
    if backend == "numpy":
        return NumpyArrays()
    if backend != "torch":
        raise GoalpostError(f"backend: must be numpy or torch, found {backend!r}")
    return TorchArrays(device)
