"""Draw pictures with an untrained generator, on the GPU: enough to see that framework, CUDA and driver agree."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image
from torch import nn


def generator(latent: int = 128) -> nn.Module:
    return nn.Sequential(
        nn.Linear(latent, 256 * 8 * 8), nn.Unflatten(1, (256, 8, 8)),
        *(layer for width in (256, 128, 64)
          for layer in (nn.Upsample(scale_factor=2), nn.Conv2d(width, width // 2, 3, padding=1), nn.LeakyReLU(0.2))),
        nn.Conv2d(32, 3, 3, padding=1), nn.Tanh(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("out"))
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"torch {torch.__version__}, CUDA {torch.version.cuda}, on {device}")
    torch.manual_seed(0)
    with torch.inference_mode():
        pictures = generator().to(device)(torch.randn(arguments.count, 128, device=device))
    arguments.out.mkdir(exist_ok=True)
    for number, picture in enumerate(((pictures + 1) * 127.5).byte().permute(0, 2, 3, 1).cpu().numpy()):
        Image.fromarray(picture).save(arguments.out / f"{number}.png")
    print(f"{arguments.count} pictures in {arguments.out}")


if __name__ == "__main__":
    main()
