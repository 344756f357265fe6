package dev.remora.moe.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RouterPolicyTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "exact",
                "topk:4",
                "mass:0.9,kmin=2,kmax=6",
                "mass:0.9,kmin=1",
                "mass:1.0,kmin=1,kmax=3,renormalize",
                "capacity:1.25",
                "noise:0.05,seed=7",
                "noise:1.0,seed=-9223372036854775808",
                "available:m=12,lambda=0.5,keep=2,loss=0.1",
                "fallback:deadline=5ms,order=next/fp8/shared",
                "fallback:deadline=1500us,order=shared",
                "fallback:deadline=7ns,order=fp8/next",
                "topk:2+capacity:2.0+noise:0.5,seed=1+available:m=9,lambda=1.0,keep=0,loss=1.0"
                        + "+fallback:deadline=0ms,order=next",
            })
    void theCanonicalTextIsReadBack(String text) {
        assertEquals(text, RouterPolicy.parse(text).toString());
        assertEquals(RouterPolicy.parse(text), RouterPolicy.parse(" " + text + "\n"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "mass:0.9; mass:0.9,kmin=1",
                "mass:0.9,kmax=6,kmin=2; mass:0.9,kmin=2,kmax=6",
                "noise:0.05; noise:0.05,seed=0",
                "available:m=12; available:m=12,lambda=0.5,keep=2,loss=0.1",
                "fallback; fallback:deadline=5ms,order=next/fp8/shared",
                "fallback:order=next,deadline=2s; fallback:deadline=2000ms,order=next",
                "capacity:2+topk:1; topk:1+capacity:2.0",
                "exact+capacity:2; capacity:2.0",
            })
    void whatIsLeftOutHasADefault(String text, String canonical) {
        assertEquals(canonical, RouterPolicy.parse(text).toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "''; found an empty one",
                "topk:4+; found an empty one",
                "top:4; found \"top\"",
                "topk; expected a value, for example topk:4",
                "topk:0; expected 1 or more experts, found 0",
                "topk:4.5; expected a whole number, found \"4.5\"",
                "topk:4,k=3; found \"k\", which it does not have",
                "topk:4+topk:5; a second choice of topk, mass or exact, \"topk:5\"",
                "topk:4+mass:0.5; a second choice of topk, mass or exact",
                "exact+topk:4; a second choice of topk, mass or exact",
                "noise:0.1+noise:0.2; a second choice of noise",
                "mass:0; expected a share above 0, at most 1, found 0.0",
                "mass:NaN; expected a share above 0",
                "mass:0.5,kmin=0; kmin: expected 1 or more",
                "mass:0.5,kmin=3,kmax=2; kmax: expected at least kmin = 3",
                "mass:0.5,kmin=x; kmin: expected a whole number, found \"x\"",
                "mass:0.5,renormalise; found \"renormalise\"",
                "mass:0.5,kmin=1,kmin=2; expected each setting once",
                "capacity:-1; expected a factor above 0",
                "capacity:Infinity; expected a factor above 0",
                "capacity:x; expected a number, for example capacity:1.25, found \"x\"",
                "noise:2; expected an amplitude of 0 to 1",
                "noise:0.1,seed=1.5; seed: expected a whole number",
                "available; expected a value, for example m=12",
                "available:m=1; expected a shortlist of 2 or more",
                "available:m=12,lambda=-1; lambda: expected 0 or more",
                "available:m=12,keep=-1; keep: expected 0 or more",
                "available:m=12,loss=2; loss: expected a share of 0 to 1",
                "fallback:deadline=5; deadline: expected a whole number and ms, us or s",
                "fallback:deadline=-5ms; deadline: expected a whole number",
                "fallback:deadline=61s; deadline: expected 0 to 60 seconds",
                "fallback:deadline=999999999999s; deadline",
                "fallback:order=; order: expected steps of next, fp8, shared",
                "fallback:order=next/next; order: expected each step once",
            })
    void wrongPartsAreNamed(String text, String part) {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> RouterPolicy.parse(text == null ? "" : text));
        assertTrue(e.getMessage().startsWith("policy: "), e.getMessage());
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }

    @Test
    void partsAreAddedOneByOne() {
        RouterPolicy policy = RouterPolicy.EXACT
                .withTopK(new TopK.Adaptive(0.8, 2, 0, false))
                .withCapacity(new Capacity(1.5))
                .withNoise(new Noise(0.1, 3))
                .withAvailability(new Availability(12, 0.25, 1, 0.2))
                .withFallback(new Fallback(Duration.ofMillis(3), List.of(Fallback.Step.FP8)));
        assertEquals(
                "mass:0.8,kmin=2+capacity:1.5+noise:0.1,seed=3+available:m=12,lambda=0.25,keep=1,loss=0.2"
                        + "+fallback:deadline=3ms,order=fp8",
                policy.toString());
        assertTrue(policy.actsOnDecoding());
        assertFalse(RouterPolicy.EXACT.withCapacity(new Capacity(1)).actsOnDecoding());
        assertTrue(RouterPolicy.EXACT.isExact());
        assertFalse(RouterPolicy.EXACT.withCapacity(new Capacity(1)).isExact());
    }
}
