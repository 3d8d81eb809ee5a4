"""Everything of DiffuGTS that is trained, in one file of weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.weights import load_weights
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.diffugts.anomaly_maps import AnomalyMaps, AnomalyMapsConfig
from DiffusionSegLib.methods.diffugts.feature_residual import FeatureResidual
from DiffusionSegLib.methods.diffugts.fusion import Fusion
from DiffusionSegLib.methods.diffugts.marked_choice import MarkedChoice
from DiffusionSegLib.methods.diffugts.region_choice import RegionChoice

__all__ = ["WEIGHTS", "NetworksConfig", "TrainedNetworks", "load_networks"]

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class NetworksConfig:
    """maps: see there. latent_channels: of the backbone; residual_inner: of the projection."""

    maps: AnomalyMapsConfig
    latent_channels: int = 4
    residual_inner: int = 32

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> NetworksConfig:
        """Of a model card; raises ModelError."""
        try:
            return NetworksConfig(
                AnomalyMapsConfig.from_dict(values["maps"]),
                int(values["latent_channels"]),
                int(values["residual_inner"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The card's networks are not usable: {error}.") from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a card."""
        return {
            "maps": self.maps.to_dict(),
            "latent_channels": self.latent_channels,
            "residual_inner": self.residual_inner,
        }


class TrainedNetworks(nn.Module):
    """maps: attention of image to text; choice: of a region; marked: the same
    with a user's marks; residual: of the latent difference; fusion: of all."""

    def __init__(self, config: NetworksConfig) -> None:
        super().__init__()
        self.config = config
        self.maps = AnomalyMaps(config.maps)
        self.residual = FeatureResidual(
            config.latent_channels, config.maps.text_width, config.residual_inner, config.maps.dims
        )
        self.choice = RegionChoice()
        self.marked = MarkedChoice()
        self.fusion = Fusion()


def load_networks(model: ModelEntry, device: str) -> TrainedNetworks:
    """Of the card's settings["networks"], frozen, in float32. Raises ModelError."""
    networks = TrainedNetworks(NetworksConfig.from_dict(model.settings["networks"]))
    tensors: dict[str, Tensor] = load_weights(model, WEIGHTS)
    try:
        networks.load_state_dict({name: value.float() for name, value in tensors.items()})
    except RuntimeError as error:
        raise ModelError(
            f"The weights of {model.id} do not fit the networks that its card describes "
            f"({str(error).splitlines()[0]}); install the model again."
        ) from error
    return networks.to(device).eval().requires_grad_(False)
