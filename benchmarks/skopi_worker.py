"""skopi's side, run by the Python of skopi's own environment: answers one JSON line with one JSON line."""

import json
import os
import sys
import time
from typing import Any

import numpy as np
import skopi


class Experiment(skopi.SPIExperiment):
    """skopi's experiment, its reciprocal volume handed over: skopi itself fills it on an NVIDIA GPU only."""

    def __init__(self, detector: Any, beam: Any, volume: np.ndarray, shots: list[dict]) -> None:
        self.det, self.beam, self.n_part_per_shot = detector, beam, len(shots[0]["positions_m"])
        self.volumes = [volume] * self.n_part_per_shot
        _, self.voxel_length = detector.get_reciprocal_mesh(len(volume))
        self.set_positions(np.concatenate([shot["positions_m"] for shot in shots]))
        self.set_orientations(np.concatenate([shot["orientations"] for shot in shots]))


class Side:
    """What the other side may ask for."""

    def set_up(self, photon_energy_ev: float, pixels: int, pixel_size_m: float, distance_m: float) -> dict:
        """Instrument; returns what the volume must be sampled on, in 1/m without 2π."""
        self.beam = skopi.Beam(
            photon_energy=photon_energy_ev, focus_x=1e-6, focus_shape="square", fluence=1.0
        )
        self.detector = skopi.SimpleSquareDetector(pixels, pixels * pixel_size_m, distance_m, beam=self.beam)
        nodes = skopi.SPIExperiment.mesh_size
        _, voxel = self.detector.get_reciprocal_mesh(nodes)
        return {"nodes": nodes, "voxel_per_m": float(voxel)}

    def take_volume(self, path: str) -> dict:
        """Form factor times electron density on those nodes."""
        self.volume = np.load(path).astype(complex)
        self.intensity = np.abs(self.volume) ** 2
        return {}

    def expected(self, fluence_per_um2: float, shot: dict, path: str) -> dict:
        """Write the mean photons of one shot, (ny, nx)."""
        self.beam.set_photons_per_pulse(fluence_per_um2)
        experiment = Experiment(self.detector, self.beam, self.volume, [shot])
        np.save(path, experiment.generate_image_stack(return_intensities=True)[0])
        return {}

    def experiment(self, fluence_per_um2: float, shots: list[dict]) -> dict:
        """Take the documented route, SPIExperiment."""
        self.beam.set_photons_per_pulse(fluence_per_um2)
        experiment = Experiment(self.detector, self.beam, self.volume, shots)
        start = time.process_time()
        photons = [int(experiment.generate_image_stack().sum()) for _ in shots]
        return {"cpu_ms": 1e3 * (time.process_time() - start) / len(shots), "photons": np.mean(photons)}

    def functions(self, fluence_per_um2: float, shots: list[dict]) -> dict:
        """Take the shortest way through skopi's functions: momenta kept, intensities where they will do."""
        self.beam.set_photons_per_pulse(fluence_per_um2)
        detector = self.detector
        detector.initialize_pixels_with_beam(self.beam)
        momenta = detector.pixel_position_reciprocal
        _, voxel = detector.get_reciprocal_mesh(len(self.volume))
        turns = [np.array(shot["orientations"]) for shot in shots]
        places = [np.array(shot["positions_m"]) for shot in shots]
        start = time.process_time()
        total = 0
        for orientations, positions in zip(turns, places):  # noqa: B905
            if len(positions) == 1:
                pattern = skopi.take_slice(self.intensity, voxel, momenta, orientations[0], inverse=True)
            else:
                waves = skopi.take_n_slices(self.volume, voxel, momenta, orientations, inverse=True)
                moved = [detector.add_phase_shift(wave, place) for wave, place in zip(waves, positions)]  # noqa: B905
                pattern = np.abs(sum(moved)) ** 2
            total += int(detector.add_correction_and_quantization(pattern).sum())
        return {"cpu_ms": 1e3 * (time.process_time() - start) / len(shots), "photons": total / len(shots)}


def main() -> None:
    """Answer until the other side closes the pipe."""
    answers = os.fdopen(os.dup(1), "w")
    sys.stdout = sys.stderr  # skopi prints
    side = Side()
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(getattr(side, question.pop("do"))(**question)), file=answers, flush=True)


if __name__ == "__main__":
    main()
