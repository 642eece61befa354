"""What the fork server of the metric workers loads once, so that a worker starts in milliseconds."""

from __future__ import annotations

import numpy  # noqa: F401
import pesq  # noqa: F401
import pystoi  # noqa: F401
import scipy.fft  # noqa: F401
import soundfile  # noqa: F401

import cmgan_audit.evaluation.metrics.composite
import cmgan_audit.evaluation.workers.task  # noqa: F401
