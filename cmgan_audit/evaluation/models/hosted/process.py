"""The parent's end of a child process that runs a user's code: requests, time limits, and a certain end."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time

from cmgan_audit.evaluation.models.enhancer import ModelError, Samples
from cmgan_audit.evaluation.models.hosted.wire import PREFIX_SIZE, Header, WireError, lengths, pack, unpack


class Host:
    """A child process, started at once; it is killed with everything it started when it is closed or too slow."""

    def __init__(self, name: str) -> None:
        self._name = name
        environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "cmgan_audit.evaluation.models.hosted.host"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )

    def ask(self, header: Header, samples: Samples | None, seconds: float, doing: str) -> tuple[Header, Samples]:
        """Send a request and wait for the answer.

        Args:
            header: of the request.
            samples: that go with it.
            seconds: time limit for the answer.
            doing: what the child is doing meanwhile, for the message.

        Raises:
            ModelError: the child says no, is too slow, or dies; in the last two cases it is gone.
        """
        deadline = time.monotonic() + seconds
        try:
            assert self._child.stdin is not None
            self._child.stdin.write(pack(header, samples))
            self._child.stdin.flush()
            header_size, payload_size = lengths(self._read(PREFIX_SIZE, deadline))
            answer, enhanced = unpack(self._read(header_size, deadline), self._read(payload_size, deadline))
        except TimeoutError as error:
            self.close()
            raise ModelError(f"{self._name}: {doing} took more than {seconds:g} s and was stopped") from error
        except (EOFError, BrokenPipeError) as error:
            raise ModelError(f"{self._name}: its process {self._end()} while {doing}") from error
        except WireError as error:
            self.close()
            raise ModelError(f"{self._name}: its process sent nonsense while {doing}: {error}") from error
        if not answer.get("ok"):
            raise ModelError(f"{self._name}: {answer.get('error')}")
        return answer, enhanced

    def _read(self, size: int, deadline: float) -> bytes:
        stream = self._child.stdout
        assert stream is not None
        parts = []
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while size > 0:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                part = os.read(stream.fileno(), min(size, 1 << 20))
                if not part:
                    raise EOFError
                parts.append(part)
                size -= len(part)
        return b"".join(parts)

    def _end(self) -> str:
        """How the child ended."""
        try:
            status = self._child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.close()
            return "closed its connection"
        self.close()
        if status < 0:
            return f"was ended by signal {-status} ({signal.strsignal(-status)})"
        return f"ended with status {status}"

    @property
    def alive(self) -> bool:
        """Whether requests can be sent."""
        return self._child.poll() is None

    def close(self) -> None:
        """End the child and everything that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
