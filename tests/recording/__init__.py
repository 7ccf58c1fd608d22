"""What users did with KubeVirt, as writes to the API server: a recording of our own, and one made elsewhere."""

from tests.recording.model import Recording, Refusal, Write

__all__ = ["Recording", "Refusal", "Write"]
