package dev.remora.moe.policy;

/**
 * Bounds of how far a policy may take what the model says from what the exact router would have said. A sample of the
 * decoded tokens is run both ways; beyond a bound the router is exact, until the policy has proved itself again.
 *
 * @param kl     most divergence, mean over a window of samples: KL(exact || policy) of the next token, in nats
 * @param top1   least share of the samples of a window in which both ways prefer the same token
 * @param every  steps from one sampled step to the next; 1: all of them
 * @param window samples that count
 */
public record Guard(double kl, double top1, int every, int window) {
    /** Mean divergence 0.05 and 90 % agreement over 32 samples, one step in 16. */
    public static final Guard DEFAULT = new Guard(0.05, 0.9, 16, 32);

    private static final int MOST = 1 << 16;

    /** @throws IllegalArgumentException if a number is out of its range */
    public Guard {
        if (!(kl > 0) || Double.isInfinite(kl)) {
            throw new IllegalArgumentException("kl: expected a bound above 0, in nats, found " + kl);
        }
        if (!(top1 >= 0 && top1 <= 1)) {
            throw new IllegalArgumentException("top1: expected a share of 0 to 1, found " + top1);
        }
        requireCount("every", every);
        requireCount("window", window);
    }

    private static void requireCount(String name, int value) {
        if (value < 1 || value > MOST) {
            throw new IllegalArgumentException(name + ": expected 1 to " + MOST + ", found " + value);
        }
    }

    /**
     * Reads {@code kl=0.05,top1=0.9,every=16,window=32}; what is left out is as in {@link #DEFAULT}.
     *
     * @throws IllegalArgumentException if a setting is unknown or wrong; the message names it
     */
    public static Guard parse(String text) {
        try {
            Settings settings = new Settings(text.strip());
            Guard guard = new Guard(
                    settings.number("kl", Double.toString(DEFAULT.kl), "kl=0.05"),
                    settings.number("top1", Double.toString(DEFAULT.top1), "top1=0.9"),
                    (int) settings.longInteger("every", Integer.toString(DEFAULT.every)),
                    (int) settings.longInteger("window", Integer.toString(DEFAULT.window)));
            settings.requireAllRead();
            return guard;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("guard: " + e.getMessage(), e);
        }
    }

    /** The text that {@link #parse} reads. */
    @Override
    public String toString() {
        return "kl=" + kl + ",top1=" + top1 + ",every=" + every + ",window=" + window;
    }
}
