package dev.remora.moe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExpertMemoryTest {
    @ParameterizedTest
    @CsvSource({
        "4G, 4294967296",
        "4g, 4294967296",
        "1.5G, 1610612736",
        "512M, 536870912",
        "100K, 102400",
        "2T, 2199023255552",
        "12345, 12345",
        "4GiB, 4294967296",
        "4GB, 4294967296"
    })
    void sizes(String text, long bytes) {
        assertEquals(ExpertMemory.ofBytes(bytes), ExpertMemory.parse(text));
    }

    @ParameterizedTest
    @CsvSource({"50%, 0.5", "100%, 1", "12.5%, 0.125"})
    void shares(String text, double share) {
        ExpertMemory memory = ExpertMemory.parse(text);
        assertEquals(ExpertMemory.ofShare(share), memory);
        assertEquals(memory, ExpertMemory.parse(memory.toString()));
    }

    @Test
    void allIsNoLimit() {
        assertTrue(ExpertMemory.parse("all").all());
        assertEquals(ExpertMemory.ALL, ExpertMemory.parse(ExpertMemory.ALL.toString()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "G", "-1", "0", "0%", "101%", "-5%", "half", "4 apples", "4X", "%", "1e3", "NaN%"})
    void whatIsNeither(String text) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> ExpertMemory.parse(text));
        assertEquals(
                "expertMemory: expected a size such as 4G, 512M or 100K, or a share such as 50%, or all, found \""
                        + text + "\"",
                e.getMessage());
    }

    @Test
    void outOfRange() {
        assertThrows(IllegalArgumentException.class, () -> ExpertMemory.ofBytes(-1));
        assertThrows(IllegalArgumentException.class, () -> ExpertMemory.ofShare(1.5));
        assertThrows(IllegalArgumentException.class, () -> new ExpertMemory(1, 0.5));
    }
}
