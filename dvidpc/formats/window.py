"""The window through which an image is shown as 8 bits. Imports nothing, so that the configuration can."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """The values that are shown as black and as white; those between them are scaled linearly."""

    low: float
    """Shown as 0, as are all lower values and NaN."""
    high: float
    """Shown as 255, as are all higher values."""

    def __str__(self) -> str:
        """As people write it: `0 to 4095`."""
        return f"{self.low:.10g} to {self.high:.10g}"
