"""How healthy a judge is: biases, ties, agreement and reliability, from its verdicts alone."""

from grm_plugin.evaluation.health.health import Health, HealthSums, health_of
from grm_plugin.evaluation.health.meanings import Meaning
from grm_plugin.evaluation.health.measured import Measurement

__all__ = ["Health", "HealthSums", "Meaning", "Measurement", "health_of"]
