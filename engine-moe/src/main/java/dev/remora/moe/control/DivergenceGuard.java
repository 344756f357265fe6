package dev.remora.moe.control;

import dev.remora.moe.policy.Guard;
import java.util.Arrays;

/**
 * Decides by samples of the divergence whether a policy may serve.
 *
 * <p>The window counts as if samples that it still lacks were perfect, so it opens as soon as no further sample could save
 * it. After that the policy is only tried in the shadow of the exact router, and is trusted again once at least as many
 * samples as the window holds were taken, and the window keeps to half of what the bounds allow. Each time that it fails
 * doubles the number of samples, up to 16 windows; serving for four times that number halves it again. So a policy at the
 * edge of its bounds changes sides ever more seldom.
 */
public final class DivergenceGuard {
    private static final int MOST_WINDOWS = 16;
    private static final int PROVEN = 4;

    private final Guard bounds;
    private final double[] kl;
    private final boolean[] same;
    private boolean open;
    private int windows;
    private long samples;
    private String reason = "";

    /** A guard that trusts the policy. */
    public DivergenceGuard(Guard bounds) {
        this.bounds = bounds;
        kl = new double[bounds.window()];
        same = new boolean[bounds.window()];
        reset();
    }

    /** Forgets all samples and trusts: there is a new policy. */
    public void reset() {
        open = false;
        windows = 1;
        clear();
    }

    private void clear() {
        samples = 0;
        Arrays.fill(kl, 0);
        Arrays.fill(same, true);
    }

    /** True if the router must be exact. */
    public boolean tripped() {
        return open;
    }

    /** Why it changed its mind last. */
    public String reason() {
        return reason;
    }

    /**
     * Takes a sample.
     *
     * @param divergence KL(exact || policy), in nats
     * @param sameTop    true if both prefer the same token
     * @return true if that changes {@link #tripped()}
     */
    public boolean sample(double divergence, boolean sameTop) {
        int at = (int) (samples % kl.length);
        // Not more than bound times window, which suffices: an infinite one would stay in the sum for ever.
        kl[at] = divergence >= 0 ? Math.min(divergence, 2 * bounds.kl() * kl.length) : 2 * bounds.kl() * kl.length;
        same[at] = sameTop;
        samples++;
        return open ? tryClosing() : tryOpening();
    }

    private boolean tryOpening() {
        if (within(1)) {
            if (samples >= PROVEN * needed() && windows > 1) {
                windows /= 2;
                samples %= kl.length;
            }
            return false;
        }
        reason = "guard: " + account() + ", beyond kl=" + bounds.kl() + ",top1=" + bounds.top1()
                + "; exact for at least " + needed() + " samples";
        open = true;
        clear();
        return true;
    }

    private boolean tryClosing() {
        if (samples < needed() || !within(0.5)) {
            return false;
        }
        reason = "guard: " + account() + ", within half of the bounds after " + samples + " samples";
        open = false;
        windows = Math.min(MOST_WINDOWS, 2 * windows);
        clear();
        return true;
    }

    /** Samples that the policy must pass in the shadow, if it fails now. */
    private long needed() {
        return (long) windows * kl.length;
    }

    private boolean within(double part) {
        double sum = 0;
        for (double value : kl) {
            sum += value;
        }
        double allowed = part * (1 - bounds.top1()) * kl.length;
        return sum <= part * bounds.kl() * kl.length && different() <= allowed + 1e-9;
    }

    private int different() {
        int different = 0;
        for (boolean value : same) {
            different += value ? 0 : 1;
        }
        return different;
    }

    private String account() {
        int count = (int) Math.min(samples, kl.length);
        double sum = 0;
        for (double value : kl) {
            sum += value;
        }
        return "mean KL " + Figures.of(sum / kl.length) + " and " + different() + " of " + count
                + " other top tokens in the window of " + kl.length;
    }
}
