package dev.remora.bench;

import org.openjdk.jmh.annotations.Param;

/** One row: what decoding spends its time on. Bound by the memory's bandwidth. */
public class MatvecBenchmark extends LinearBenchmark {
    /** DeepSeek-V2-Lite: q, kv_a, o, expert gate, expert down, dense gate, head; then V3: q_a, o, expert gate, dense. */
    @Param({
        "3072x2048",
        "576x2048",
        "2048x2048",
        "1408x2048",
        "2048x1408",
        "10944x2048",
        "102400x2048",
        "1536x7168",
        "7168x16384",
        "2048x7168",
        "18432x7168"
    })
    public String shape;

    @Override
    String shape() {
        return shape;
    }

    @Override
    int count() {
        return 1;
    }
}
