package dev.remora.models.bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/** The energy that the CPU packages have used (RAPL), where Linux shows it to this process. */
final class EnergyMeter {
    private static final Path SYSTEM = Path.of("/sys/class/powercap");

    private final List<Counter> counters = new ArrayList<>();

    private static final class Counter {
        private final Path energy;
        private final long range;
        private long start;

        Counter(Path energy, long range) {
            this.energy = energy;
            this.range = range;
        }
    }

    EnergyMeter() {
        this(SYSTEM);
    }

    /** @param powercap holds a folder for each package, {@code intel-rapl:0} and up */
    EnergyMeter(Path powercap) {
        // Not intel-rapl:0:0, which is a part of a package.
        try (DirectoryStream<Path> zones = Files.newDirectoryStream(
                powercap, path -> path.getFileName().toString().matches("intel-rapl:\\d+"))) {
            for (Path zone : zones) {
                Counter counter = new Counter(zone.resolve("energy_uj"), number(zone.resolve("max_energy_range_uj")));
                number(counter.energy);
                counters.add(counter);
            }
        } catch (IOException | NumberFormatException e) {
            counters.clear();
        }
    }

    /** Starts counting. */
    void start() {
        try {
            for (Counter counter : counters) {
                counter.start = number(counter.energy);
            }
        } catch (IOException | NumberFormatException e) {
            counters.clear();
        }
    }

    /** Joules since the start; empty if they are not known. */
    OptionalDouble joules() {
        if (counters.isEmpty()) {
            return OptionalDouble.empty();
        }
        try {
            double microjoules = 0;
            for (Counter counter : counters) {
                long used = number(counter.energy) - counter.start;
                // The counter begins again at 0.
                microjoules += used >= 0 ? used : used + counter.range;
            }
            return OptionalDouble.of(microjoules / 1e6);
        } catch (IOException | NumberFormatException e) {
            counters.clear();
            return OptionalDouble.empty();
        }
    }

    private static long number(Path file) throws IOException {
        return Long.parseLong(Files.readString(file).strip());
    }
}
