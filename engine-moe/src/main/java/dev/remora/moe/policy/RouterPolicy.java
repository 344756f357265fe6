package dev.remora.moe.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * How far the router may depart from the one that the model was trained with: not at all, unless asked to. The parts are
 * independent of each other. Prompts, that is steps of more than one row of a sequence, are always exact but for {@link
 * Capacity}, which acts on nothing else.
 *
 * @param topK         how many experts a decoded token keeps
 * @param capacity     limit of the rows of a prompt that one expert takes
 * @param noise        slight randomness of the choice of a decoded token
 * @param availability preference of experts at hand, for decoded tokens
 * @param fallback     what a decoded token does without an expert that is late
 */
public record RouterPolicy(
        TopK topK,
        Optional<Capacity> capacity,
        Optional<Noise> noise,
        Optional<Availability> availability,
        Optional<Fallback> fallback) {
    /** The router of the checkpoint. */
    public static final RouterPolicy EXACT =
            new RouterPolicy(new TopK.Exact(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    /** Checks that nothing is missing. */
    public RouterPolicy {
        Objects.requireNonNull(topK, "topK");
        Objects.requireNonNull(capacity, "capacity");
        Objects.requireNonNull(noise, "noise");
        Objects.requireNonNull(availability, "availability");
        Objects.requireNonNull(fallback, "fallback");
    }

    /**
     * Reads what {@link #toString} writes: parts joined by {@code +}, each at most once, in any order. {@code exact}, {@code
     * topk:4}, {@code mass:0.9,kmin=2,kmax=6}, {@code mass:0.9,renormalize}, {@code capacity:1.25}, {@code
     * noise:0.05,seed=7}, {@code available:m=12,lambda=0.5,keep=2,loss=0.1}, {@code
     * fallback:deadline=5ms,order=next/fp8/shared}.
     *
     * @throws IllegalArgumentException if a part is unknown or wrong; the message names it
     */
    public static RouterPolicy parse(String text) {
        return PolicyText.parse(text);
    }

    public RouterPolicy withTopK(TopK value) {
        return new RouterPolicy(value, capacity, noise, availability, fallback);
    }

    public RouterPolicy withCapacity(Capacity value) {
        return new RouterPolicy(topK, Optional.of(value), noise, availability, fallback);
    }

    public RouterPolicy withNoise(Noise value) {
        return new RouterPolicy(topK, capacity, Optional.of(value), availability, fallback);
    }

    public RouterPolicy withAvailability(Availability value) {
        return new RouterPolicy(topK, capacity, noise, Optional.of(value), fallback);
    }

    public RouterPolicy withFallback(Fallback value) {
        return new RouterPolicy(topK, capacity, noise, availability, Optional.of(value));
    }

    /** True if nothing is changed, for prompts or for decoded tokens. */
    public boolean isExact() {
        return equals(EXACT);
    }

    /** True if decoded tokens may meet other experts, or fewer, than those of the exact router. */
    public boolean actsOnDecoding() {
        return !(topK instanceof TopK.Exact) || noise.isPresent() || availability.isPresent() || fallback.isPresent();
    }

    /** The text that {@link #parse} reads; {@code exact} if nothing is changed. */
    @Override
    public String toString() {
        List<String> parts = new ArrayList<>();
        if (!(topK instanceof TopK.Exact)) {
            parts.add(PolicyText.of(topK));
        }
        capacity.map(PolicyText::of).ifPresent(parts::add);
        noise.map(PolicyText::of).ifPresent(parts::add);
        availability.map(PolicyText::of).ifPresent(parts::add);
        fallback.map(PolicyText::of).ifPresent(parts::add);
        return parts.isEmpty() ? "exact" : String.join("+", parts);
    }
}
