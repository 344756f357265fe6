package dev.remora.bench;

import org.openjdk.jmh.annotations.Param;

/** Several rows: prompts, several sequences at once, experts. Bound by bandwidth for few rows, by arithmetic for many. */
public class MatmulBenchmark extends LinearBenchmark {
    /** DeepSeek-V2-Lite: q, expert gate; V3: expert gate, expert down. */
    @Param({"3072x2048", "1408x2048", "2048x7168", "7168x2048"})
    public String shape;

    @Param({"2", "4", "8", "16", "48", "512"})
    public int rows;

    @Override
    String shape() {
        return shape;
    }

    @Override
    int count() {
        return rows;
    }
}
