"""The names under which configurations keep a setting."""

from __future__ import annotations

from cmgan_audit.lazy_regex import regex

BATCH, RATE, SEGMENT, FFT, HOP, WINDOW = (
    "batch size", "learning rate", "segment length", "FFT size", "hop size", "window length",
)  # fmt: skip

_SPELLINGS = {
    BATCH: "batch_size batchsize batch train_batch_size batch_size_train train_batchsize batch_size_per_gpu "
    "per_gpu_batch_size per_device_train_batch_size bs",
    RATE: "lr learning_rate init_lr initial_lr base_lr lr_init gen_lr generator_lr lr_g g_lr lr_gen disc_lr "
    "discriminator_lr lr_d d_lr lr_disc",
    SEGMENT: "cut_len cut_length segment_size segment_length segment_len segment seg_len crop_len crop_length "
    "crop_size chunk_size chunk_length chunk_len",
    FFT: "n_fft nfft fft_size fft_len fft_length filter_length",
    HOP: "hop hop_length hop_size hop_len",
    WINDOW: "win_length win_size win_len window_length window_size",
}
_FAMILIES = {name: family for family, names in _SPELLINGS.items() for name in names.split()}
# Settings of other loaders than the one that trains.
_OTHER = regex(r"(^|_)(val|valid|validation|test|eval|evaluation|dev|infer|inference)(_|$)")


def family_of(name: str) -> str:
    """The setting that a key, option or attribute stands for; "" for any other."""
    return _FAMILIES.get(_folded(name), "")


def is_of_training(place: tuple[str, ...]) -> bool:
    """Whether the keys that lead to a value speak of no evaluation."""
    return not any(_OTHER.search(_folded(key)) for key in place)


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")
