package dev.remora.models.bench;

import dev.remora.core.CacheFormat;
import dev.remora.models.LoadOptions;
import dev.remora.moe.policy.RouterPolicy;
import java.util.ArrayList;
import java.util.List;

/**
 * What is measured, and how often.
 *
 * @param prompt      tokens of a prompt; 0: prompts are not measured
 * @param generate    tokens to generate; 0: generation is not measured
 * @param depths      cached positions at the start, one measurement for each; empty: those of 0, 4096 and 16384 that the
 *     model was made for
 * @param batches     sequences that generate together, one measurement for each
 * @param repetitions of each measurement
 * @param threads     that compute; 0: one for each physical core
 * @param cacheFormat how the latent cache is stored
 * @param probeBytes  memory that is read to measure the bandwidth
 * @param policy      how far the router may depart from the model's own
 */
public record BenchmarkOptions(
        int prompt,
        int generate,
        List<Integer> depths,
        List<Integer> batches,
        int repetitions,
        int threads,
        CacheFormat cacheFormat,
        long probeBytes,
        RouterPolicy policy) {
    private static final List<Integer> USUAL_DEPTHS = List.of(0, 4096, 16384);

    /** Rows of one step, and so sequences that one step can serve. */
    private static final int MAX_BATCH = 512;

    private static final long MIN_PROBE = 1L << 24;
    private static final long MAX_PROBE = 1L << 38;
    private static final int MAX_TOKENS = 1 << 20;
    private static final int MAX_REPETITIONS = 1000;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a number is out of its range
     */
    public BenchmarkOptions {
        require("prompt", prompt, 0, MAX_TOKENS);
        require("generate", generate, 0, MAX_TOKENS);
        depths.forEach(depth -> require("depth", depth, 0, Integer.MAX_VALUE - 2 * MAX_TOKENS));
        batches.forEach(batch -> require("batch", batch, 1, MAX_BATCH));
        require("repetitions", repetitions, 1, MAX_REPETITIONS);
        if (probeBytes < MIN_PROBE || probeBytes > MAX_PROBE) {
            throw new IllegalArgumentException("probeBytes: expected " + (MIN_PROBE >> 20) + " MiB to "
                    + (MAX_PROBE >> 20) + " MiB, found " + (probeBytes >> 20) + " MiB");
        }
        depths = List.copyOf(depths);
        batches = List.copyOf(batches);
        LoadOptions.defaults().withThreads(threads);
    }

    /** A prompt of 512 tokens and 128 generated ones at the usual depths, alone, three times. */
    public static BenchmarkOptions defaults() {
        return new BenchmarkOptions(
                512, 128, List.of(), List.of(1), 3, 0, CacheFormat.BF16, MachineProbe.USUAL_BYTES, RouterPolicy.EXACT);
    }

    /**
     * The measurements for a model.
     *
     * @param maxContextLength for which it was made
     * @throws IllegalArgumentException if a depth that was asked for does not fit
     */
    List<Workload> workloads(int maxContextLength) {
        int room = maxContextLength - Math.max(prompt, generate);
        if (room < 0) {
            throw new IllegalArgumentException((prompt > generate ? "prompt" : "generate") + ": expected at most "
                    + maxContextLength + " tokens, for which the model was made, found " + Math.max(prompt, generate));
        }
        List<Workload> workloads = new ArrayList<>();
        for (int depth : depths.isEmpty() ? USUAL_DEPTHS : depths) {
            if (depth <= room) {
                add(depth, workloads);
            } else if (!depths.isEmpty()) {
                throw new IllegalArgumentException("depth: expected 0 to " + room + ", so that "
                        + Math.max(prompt, generate) + " more tokens fit the " + maxContextLength
                        + " for which the model was made, found " + depth);
            }
        }
        return workloads;
    }

    private void add(int depth, List<Workload> workloads) {
        if (prompt > 0) {
            workloads.add(new Workload(Workload.Kind.PROMPT, prompt, depth, 1));
        }
        if (generate > 0) {
            batches.forEach(batch -> workloads.add(new Workload(Workload.Kind.GENERATE, generate, depth, batch)));
        }
    }

    private static void require(String name, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(name + ": expected " + min + " to " + max + ", found " + value);
        }
    }
}
