"""Functions of libraries that read a recording."""

READERS = frozenset("librosa.load librosa.core.load torchaudio.load soundfile.read scipy.io.wavfile.read".split())
