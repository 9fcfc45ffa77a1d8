"""Relabelled batches as a dataset of PyTorch; only this module needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from .sampling import Relabelled


class RelabelledDataset(torch.utils.data.Dataset):
    """Batches 0 up to below `count`; `self[k]` is batch k as a dictionary of tensors."""

    def __init__(self, batches: Relabelled, count: int) -> None:
        self.batches, self.count = batches, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        if not 0 <= number < self.count:
            raise IndexError(f"there are {self.count} batches, found {number}")
        columns = vars(self.batches.batch(number)).items()
        return {name: torch.from_numpy(column) for name, column in columns if column is not None}
