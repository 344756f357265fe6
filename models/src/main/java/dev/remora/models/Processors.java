package dev.remora.models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** How many processors there are. */
final class Processors {
    private Processors() {}

    /** Logical processors that this process may use, limits of containers included. */
    static int logical() {
        return Runtime.getRuntime().availableProcessors();
    }

    /**
     * Physical cores, at most {@link #logical()}: two threads of one core share its arithmetic units, so the second only
     * adds waiting.
     */
    static int physical() {
        return Math.min(logical(), physical(Path.of("/proc/cpuinfo")));
    }

    /** Distinct pairs of package and core; all processors where the file does not tell. */
    static int physical(Path cpuInfo) {
        try {
            Set<String> cores = new HashSet<>();
            String socket = "";
            for (String line : Files.readAllLines(cpuInfo)) {
                if (line.startsWith("physical id")) {
                    socket = line;
                } else if (line.startsWith("core id")) {
                    cores.add(socket + line);
                }
            }
            return cores.isEmpty() ? logical() : cores.size();
        } catch (IOException e) {
            return logical();
        }
    }
}
