package dev.remora.core;

/** How the latent cache is stored. Attention computes in f32 either way. */
public enum CacheFormat {
    /** Four bytes a value: exact. */
    F32(4),
    /** Two bytes a value, rounded to nearest even: the default. */
    BF16(2);

    private final int bytes;

    CacheFormat(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one value. */
    public int bytes() {
        return bytes;
    }
}
