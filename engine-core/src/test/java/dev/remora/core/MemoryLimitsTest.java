package dev.remora.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryLimitsTest {
    private static final long MIB = 1L << 20;

    @TempDir
    Path root;

    @BeforeEach
    void machineWithEightGibibytesAvailable() throws IOException {
        write(
                "proc/meminfo",
                "MemTotal: 16777216 kB\nMemFree: 1048576 kB\nMemAvailable:    8388608 kB\nCached: 5 kB\n");
    }

    @Test
    void withoutGroupsTheMachineIsTheLimit() {
        assertLimit(8192 * MIB, "the machine's available memory");
    }

    @Test
    void oldKernelsDoNotSayWhatIsAvailable() throws IOException {
        write("proc/meminfo", "MemTotal: 9000 kB\nMemFree: 1000 kB\nBuffers: 200 kB\nCached: 30 kB\n");
        assertLimit(1230 * 1024, "the machine's available memory");
    }

    @Test
    void versionTwoCountsDroppableCacheAsFree() throws IOException {
        write("proc/self/cgroup", "0::/app\n");
        v2(
                "sys/fs/cgroup/app",
                "1073741824",
                "max",
                900 * MIB,
                "anon 1\nactive_file 104857600\ninactive_file 209715200\n");
        assertLimit(
                (1024 - 900 + 100 + 200) * MIB,
                "the memory limit of the control group " + root.resolve("sys/fs/cgroup/app"));
    }

    @Test
    void theTightestLevelBinds() throws IOException {
        write("proc/self/cgroup", "0::/slice/service/app\n");
        v2("sys/fs/cgroup/slice/service/app", "max", "max", 10 * MIB, "");
        v2("sys/fs/cgroup/slice/service", "2147483648", "536870912", 200 * MIB, "");
        v2("sys/fs/cgroup/slice", "1073741824", "max", 600 * MIB, "");
        assertLimit(312 * MIB, "the memory limit of the control group " + root.resolve("sys/fs/cgroup/slice/service"));
    }

    @Test
    void aContainerSeesItsOwnGroupAsTheRoot() throws IOException {
        write("proc/self/cgroup", "0::/docker/0123456789abcdef\n");
        v2("sys/fs/cgroup", "268435456", "max", 64 * MIB, "");
        assertLimit(192 * MIB, "the memory limit of the control group " + root.resolve("sys/fs/cgroup"));
    }

    @Test
    void aPathOutsideTheNamespaceStaysBelowTheMount() throws IOException {
        write("proc/self/cgroup", "0::/../../../outside\n");
        write("outside/memory.max", "1");
        write("outside/memory.current", "1");
        v2("sys/fs/cgroup", "268435456", "max", 64 * MIB, "");
        assertLimit(192 * MIB, "the memory limit of the control group " + root.resolve("sys/fs/cgroup"));
    }

    @Test
    void versionOne() throws IOException {
        write("proc/self/cgroup", "4:cpu,cpuacct:/x\n3:memory:/app\n0::/\n");
        v1("sys/fs/cgroup/memory", "9223372036854771712", 4000 * MIB, "");
        v1(
                "sys/fs/cgroup/memory/app",
                "2147483648",
                1500 * MIB,
                "cache 7\ninactive_file 1\ntotal_inactive_file 104857600\n");
        assertLimit(
                (2048 - 1500 + 100) * MIB,
                "the memory limit of the control group " + root.resolve("sys/fs/cgroup/memory/app"));
    }

    @Test
    void hybridHierarchiesHaveVersionOneMemoryBesideAnEmptyVersionTwo() throws IOException {
        write("proc/self/cgroup", "3:memory,hugetlb:/\n0::/user\n");
        write("sys/fs/cgroup/unified/user/cgroup.procs", "1\n");
        v1("sys/fs/cgroup/memory", "1073741824", 24 * MIB, "");
        assertLimit(1000 * MIB, "the memory limit of the control group " + root.resolve("sys/fs/cgroup/memory"));
    }

    @Test
    void aGroupBeyondItsLimitLeavesNothing() throws IOException {
        write("proc/self/cgroup", "0::/app\n");
        v2("sys/fs/cgroup/app", "1048576", "max", 9 * MIB, "");
        assertEquals(0, MemoryProbe.read(root).availableBytes());
    }

    @Test
    void cacheNeverFreesMoreThanTheLimit() throws IOException {
        write("proc/self/cgroup", "0::/app\n");
        v2("sys/fs/cgroup/app", "1048576", "max", 4096, "inactive_file 99999999999\n");
        assertEquals(MIB, MemoryProbe.read(root).availableBytes());
    }

    @Test
    void oddFilesAreIgnored() throws IOException {
        write("proc/self/cgroup", "nonsense\n\n0::/app\n7:memory\n");
        v2("sys/fs/cgroup/app", "lots", "", 4096, "inactive_file\nactive_file many\n\n");
        assertLimit(8192 * MIB, "the machine's available memory");
    }

    @Test
    void withoutProcTheRuntimeAnswers() throws IOException {
        Files.delete(root.resolve("proc/meminfo"));
        MemoryLimits limits = MemoryProbe.read(root);
        assertTrue(limits.availableBytes() > MIB && limits.availableBytes() < 1L << 50, limits.toString());
        assertTrue(limits.boundBy().startsWith("the machine's "), limits.boundBy());
    }

    @Test
    void thisMachineHasMemory() {
        assertTrue(MemoryLimits.now().availableBytes() > 0);
    }

    @Test
    void tooLittleSaysBothFiguresAndTheCure() {
        MemoryLimits limits = new MemoryLimits(1536 * MIB, "the machine's available memory");
        limits.require(1536 * MIB, "the cache");
        InsufficientMemoryException e = assertThrows(
                InsufficientMemoryException.class, () -> limits.require(12L << 30, "a context of 32768 tokens"));
        assertEquals(
                "a context of 32768 tokens: expected 12.00 GiB of free memory, found 1.50 GiB (the machine's available memory)."
                        + " A shorter context, a smaller cache type or fewer sessions need less; or end other programs,"
                        + " raise the limit, or use a machine with more memory.",
                e.getMessage());
    }

    @Test
    void mappedWeightsBeyondMemoryAreAWarning() {
        MemoryLimits limits = new MemoryLimits(1536 * MIB, "the machine's available memory");
        assertEquals(Optional.empty(), limits.warnIfMapped(1024 * MIB, 512 * MIB));
        String warning = limits.warnIfMapped(1024 * MIB, 512 * MIB + 1).orElseThrow();
        assertTrue(
                warning.startsWith(
                        "The mapped weights of 1.00 GiB and the 0.50 GiB that are filled from them exceed the free memory"
                                + " of 1.50 GiB (the machine's available memory): "),
                warning);
    }

    private void assertLimit(long bytes, String boundBy) {
        assertEquals(new MemoryLimits(bytes, boundBy), MemoryProbe.read(root));
    }

    private void v2(String group, String max, String high, long current, String stat) throws IOException {
        write(group + "/memory.max", max + "\n");
        write(group + "/memory.high", high + "\n");
        write(group + "/memory.current", current + "\n");
        write(group + "/memory.stat", stat);
    }

    private void v1(String group, String limit, long usage, String stat) throws IOException {
        write(group + "/memory.limit_in_bytes", limit + "\n");
        write(group + "/memory.usage_in_bytes", usage + "\n");
        write(group + "/memory.stat", stat);
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }
}
