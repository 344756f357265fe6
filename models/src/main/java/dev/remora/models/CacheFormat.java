package dev.remora.models;

/** In which numbers the latent cache is stored. Attention computes in f32 either way. */
public enum CacheFormat {
    /** 4 bytes per number: as computed. */
    F32(4),
    /** 2 bytes per number: half the memory, 8 bits of mantissa. */
    BF16(2);

    private final int bytes;

    CacheFormat(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes per number. */
    public int bytes() {
        return bytes;
    }
}
