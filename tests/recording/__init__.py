"""What users did with KubeVirt, as writes to the API server: a recording of our own, and one made elsewhere."""

from tests.recording.model import Denial, Recording, Write

__all__ = ["Denial", "Recording", "Write"]
