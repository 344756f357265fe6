package dev.remora.moe.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TargetAndGuardTest {
    @Test
    void textsAreReadAndWritten() {
        Target bytes = Target.parse("bytes-per-token=1.5M,adjust=lambda,every=8");
        assertEquals(
                new Target(Target.Quantity.BYTES_PER_TOKEN, 1.5 * (1 << 20), Optional.of(Target.Knob.LAMBDA), 0.05, 8),
                bytes);
        assertEquals("bytes-per-token=1572864,adjust=lambda,tolerance=0.05,every=8", bytes.toString());
        for (String text : new String[] {"hit-rate=0.9", "tokens-per-second=8,tolerance=0.2", bytes.toString()}) {
            assertEquals(Target.parse(text), Target.parse(Target.parse(text).toString()));
        }
        assertEquals(new Guard(0.2, 0.9, 16, 8), Guard.parse("kl=0.2,window=8"));
        assertEquals(Guard.DEFAULT, Guard.parse(""));
        assertEquals(Guard.DEFAULT, Guard.parse(Guard.DEFAULT.toString()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "speed=3 | target: expected tokens-per-second=8, bytes-per-token=200M or hit-rate=0.9, found \"speed=3\"",
                "hit-rate=2 | target: hit-rate: expected a share of at most 1, found 2.0",
                "hit-rate=0.5,tokens-per-second=1 | target: expected one target, found tokens-per-second and hit-rate; leave one out",
                "tokens-per-second=8M | target: tokens-per-second: expected a number, found \"8M\"",
                "bytes-per-token=M | target: bytes-per-token: expected a number, such as 200M, found \"M\"",
                "bytes-per-token=1M,adjust=speed | target: adjust: expected topk, mass, lambda, capacity, found \"speed\"",
                "hit-rate=0.9,every=0 | target: every: expected 1 to 65536 steps, found 0",
                "hit-rate=0.9,limit=3 | target: found \"limit\", which it does not have; leave it out",
            })
    void wrongTargetsAreNamed(String text, String message) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, () -> Target.parse(text))
                        .getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "kl=0 | guard: kl: expected a bound above 0, in nats, found 0.0",
                "top1=90 | guard: top1: expected a share of 0 to 1, found 90.0",
                "window=0 | guard: window: expected 1 to 65536, found 0",
                "every=x | guard: every: expected a whole number, found \"x\"",
                "often | guard: found \"often\", which it does not have; leave it out",
            })
    void wrongGuardsAreNamed(String text, String message) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, () -> Guard.parse(text))
                        .getMessage());
    }
}
