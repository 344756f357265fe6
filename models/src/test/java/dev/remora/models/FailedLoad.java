package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.function.Executable;

/** What a load that fails owes: an exception of the right class, a message that helps, and nothing left behind. */
final class FailedLoad {
    private static final Path MAPS = Path.of("/proc/self/maps");

    private FailedLoad() {}

    static void of(Path folder, Class<? extends Exception> type, String... parts) {
        of(folder, () -> Llm.load(folder, Logits.EXACT).close(), type, parts);
    }

    static void of(Path folder, Executable load, Class<? extends Exception> type, String... parts) {
        Exception thrown = assertThrows(type, load);
        assertEquals(type, thrown.getClass(), thrown.getMessage());
        for (String part : parts) {
            assertTrue(thrown.getMessage().contains(part), "expected \"" + part + "\" in: " + thrown.getMessage());
        }
        assertNothingIsLeft(folder);
    }

    private static void assertNothingIsLeft(Path folder) {
        List<String> threads = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.isAlive() && thread.getName().startsWith("remora-"))
                // Of an earlier load that went well; it ends by itself.
                .filter(thread -> !thread.getName().equals("remora-warmup"))
                .map(Thread::getName)
                .toList();
        assertEquals(List.of(), threads, "threads that still run");
        if (Files.exists(MAPS)) {
            try {
                String name = folder.toString();
                assertFalse(Files.readString(MAPS).contains(name), "a file of " + name + " is still mapped");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
