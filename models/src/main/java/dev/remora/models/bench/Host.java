package dev.remora.models.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this machine says of itself. */
final class Host {
    private static final Path CPU = Path.of("/proc/cpuinfo");
    private static final Path STATUS = Path.of("/proc/self/status");

    private Host() {}

    /** The CPU's name; its architecture where the system does not tell. */
    static String cpu() {
        String name = value(CPU, "model name");
        return name.isEmpty() ? System.getProperty("os.arch") : name;
    }

    /** The JDK's version and vendor. */
    static String jdk() {
        return Runtime.version() + " (" + System.getProperty("java.vendor") + ")";
    }

    /** Bytes of this process that are in memory; 0 where the system does not tell. */
    static long residentBytes() {
        String kilobytes = value(STATUS, "VmRSS").replaceAll("\\D", "");
        return kilobytes.isEmpty() ? 0 : Long.parseLong(kilobytes) * 1024;
    }

    /** What stands after the colon in the first line of this key; empty if there is none. */
    private static String value(Path file, String key) {
        try {
            for (String line : Files.readAllLines(file)) {
                int colon = line.indexOf(':');
                if (colon > 0 && line.substring(0, colon).strip().equals(key)) {
                    return line.substring(colon + 1).strip();
                }
            }
        } catch (IOException e) {
            // Not Linux.
        }
        return "";
    }
}
