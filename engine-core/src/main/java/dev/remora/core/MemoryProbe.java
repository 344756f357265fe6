package dev.remora.core;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Reads the files behind {@link MemoryLimits}: {@code /proc/meminfo} and the control groups of this process, version 2
 * (memory.max, memory.high) and 1 (memory.limit_in_bytes). A limit may be set at any level, so every level from the
 * process's own group to the root is read. Inside a container the path of {@code /proc/self/cgroup} is often the
 * host's and does not exist; its ancestors then lead to the container's own root.
 */
final class MemoryProbe {
    private static final MemoryLimits UNKNOWN = new MemoryLimits(Long.MAX_VALUE, "no limit known");

    private final Path root;
    private MemoryLimits least = UNKNOWN;

    private MemoryProbe(Path root) {
        this.root = root;
    }

    /** Reads below {@code root}, which is {@code /} except in tests. */
    static MemoryLimits read(Path root) {
        MemoryProbe probe = new MemoryProbe(root);
        if (!probe.machine()) {
            probe.withoutProc();
        }
        probe.groups();
        return probe.least;
    }

    private boolean machine() {
        Map<String, Long> meminfo = numbers(root.resolve("proc/meminfo"));
        Long available = meminfo.get("MemAvailable");
        if (available == null && meminfo.containsKey("MemFree")) {
            // Kernels before 3.14 do not say MemAvailable.
            available =
                    meminfo.get("MemFree") + meminfo.getOrDefault("Buffers", 0L) + meminfo.getOrDefault("Cached", 0L);
        }
        if (available == null) {
            return false;
        }
        bound(available << 10, "the machine's available memory");
        return true;
    }

    /** Elsewhere than on Windows the bean's free memory leaves out all caches, so only the total is certain. */
    private void withoutProc() {
        try {
            var bean = ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
            if (bean != null) {
                boolean windows =
                        System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
                bound(
                        windows ? bean.getFreeMemorySize() : bean.getTotalMemorySize(),
                        windows ? "the machine's free memory" : "the machine's memory");
            }
        } catch (LinkageError e) {
            // The module jdk.management was left out of this runtime: nothing is known, so nothing is refused.
            least = UNKNOWN;
        }
    }

    private void groups() {
        for (String line : lines(root.resolve("proc/self/cgroup"))) {
            String[] fields = line.split(":", 3); // hierarchy:controllers:path
            if (fields.length < 3) {
                continue;
            }
            if (fields[0].equals("0") && fields[1].isEmpty()) {
                walk("sys/fs/cgroup", fields[2]);
                walk("sys/fs/cgroup/unified", fields[2]);
            } else if (List.of(fields[1].split(",")).contains("memory")) {
                walk("sys/fs/cgroup/memory", fields[2]);
            }
        }
    }

    private void walk(String mount, String path) {
        Path top = root.resolve(mount).normalize();
        Path group = top.resolve(path.replaceFirst("^/+", "")).normalize();
        // A group outside this namespace reads "/../other": only the mount's own root can be asked then.
        for (group = group.startsWith(top) ? group : top; group.startsWith(top); group = group.getParent()) {
            group(group);
        }
    }

    private void group(Path group) {
        Long current = number(group.resolve("memory.current"));
        if (current != null) {
            Long max = number(group.resolve("memory.max"));
            Long high = number(group.resolve("memory.high"));
            Map<String, Long> stat = numbers(group.resolve("memory.stat"));
            long reclaimable = stat.getOrDefault("active_file", 0L) + stat.getOrDefault("inactive_file", 0L);
            bound(max, current, reclaimable, group);
            // Beyond memory.high nothing fails, but the process is slowed down to a crawl.
            bound(high, current, reclaimable, group);
        }
        Long usage = number(group.resolve("memory.usage_in_bytes"));
        if (usage != null) {
            Map<String, Long> stat = numbers(group.resolve("memory.stat"));
            long reclaimable = stat.getOrDefault("total_active_file", stat.getOrDefault("active_file", 0L))
                    + stat.getOrDefault("total_inactive_file", stat.getOrDefault("inactive_file", 0L));
            bound(number(group.resolve("memory.limit_in_bytes")), usage, reclaimable, group);
        }
    }

    private void bound(Long limit, long used, long reclaimable, Path group) {
        if (limit != null) {
            long free = Math.min(limit, limit - used + Math.min(reclaimable, used));
            bound(free, "the memory limit of the control group " + group);
        }
    }

    private void bound(long available, String by) {
        if (available < least.availableBytes()) {
            least = new MemoryLimits(Math.max(0, available), by);
        }
    }

    /** The file's only number; null if there is no file or no limit ({@code max}). */
    private static Long number(Path file) {
        List<String> lines = lines(file);
        return lines.isEmpty() ? null : parse(lines.getFirst().strip());
    }

    /** Lines such as {@code MemFree:  24035816 kB} or {@code active_file 4096}, by name. */
    private static Map<String, Long> numbers(Path file) {
        Map<String, Long> numbers = new HashMap<>();
        for (String line : lines(file)) {
            String[] fields = line.split(":?\\s+", 3);
            Long value = fields.length < 2 ? null : parse(fields[1]);
            if (value != null) {
                numbers.put(fields[0], value);
            }
        }
        return numbers;
    }

    private static Long parse(String text) {
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return new ArrayList<>();
        }
    }
}
