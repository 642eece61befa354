"""Pieces of work on several cores: in order, without gradients, on no more threads than help."""

from __future__ import annotations

import threading

import pytest
import torch

from cmgan_audit.evaluation.models.cmgan.cores import MOST_THREADS, on_all_cores, on_few_cores


@pytest.fixture(autouse=True)
def many_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(MOST_THREADS + 3)
    yield
    torch.set_num_threads(before)


def test_pieces_come_back_in_order_from_threads_that_compute_alone_and_without_gradients():
    def work(piece):
        return piece, torch.is_inference_mode_enabled(), torch.get_num_threads()

    with torch.inference_mode():
        assert on_all_cores(work, range(20)) == [(piece, True, 1) for piece in range(20)]


def test_no_more_threads_than_help():
    together = threading.Barrier(MOST_THREADS)  # passed only if so many work at the same time

    def work(_):
        together.wait(timeout=300)
        return threading.get_ident()

    with torch.inference_mode(), on_few_cores():
        assert len(set(on_all_cores(work, range(3 * MOST_THREADS)))) == MOST_THREADS


def test_torch_has_its_threads_back_afterwards_also_of_what_fails():
    with on_few_cores():
        assert torch.get_num_threads() == MOST_THREADS
    assert torch.get_num_threads() == MOST_THREADS + 3
    with pytest.raises(RuntimeError), on_few_cores():
        raise RuntimeError("out of memory")
    assert torch.get_num_threads() == MOST_THREADS + 3


def test_fewer_threads_stay_as_few():
    torch.set_num_threads(2)
    with on_few_cores():
        assert torch.get_num_threads() == 2
