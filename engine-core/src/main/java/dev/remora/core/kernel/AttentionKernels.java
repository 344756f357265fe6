package dev.remora.core.kernel;

import static dev.remora.core.kernel.VectorShapes.F;

import jdk.incubator.vector.FloatVector;

/**
 * The two multiplications of a tile of attention, 64 positions by 16 columns. All strides are constants: C2 then keeps
 * every address in one register; with strides that vary it moves addresses to vector registers and back in the inner
 * loop, at a third of the speed.
 */
final class AttentionKernels {
    private static final int L = F.length();
    private static final int LANES = RowReference.LANES;
    private static final int TILE = Kernels.TILE;

    private AttentionKernels() {}

    static void multiplyNarrow(float[] panel, int p, float[] x, int xAt, int rows, float[] y, int yAt) {
        if (L == LANES) {
            for (int row = 0; row < rows; row += 16) {
                narrow16(panel, p, x, xAt + row * TILE, y, yAt + row * LANES);
            }
            return;
        }
        for (int row = 0; row < rows; row += 4) {
            for (int c = 0; c < LANES; c += 2 * L) {
                narrow4(panel, p + c, x, xAt + row * TILE, y, yAt + row * LANES + c);
            }
        }
    }

    static void multiplyWide(float[] panel, int p, int k, float[] x, int xAt, int rows, float[] y, int yAt) {
        if (L == LANES) {
            for (int row = 0; row < rows; row += 4) {
                wide4x4(panel, p, k, x, xAt + row, y, yAt + row * TILE);
            }
            return;
        }
        for (int c = 0; c < TILE; c += 2 * L) {
            for (int row = 0; row < rows; row += 4) {
                wide4x2(panel, p + c, k, x, xAt + row, y, yAt + row * TILE + c);
            }
        }
    }

    /** 16 rows, one vector of columns: sixteen chains, of which the CPU needs eight. Two columns of x a turn. */
    private static void narrow16(float[] panel, int p, float[] x, int xAt, float[] y, int yAt) {
        FloatVector r0 = FloatVector.fromArray(F, y, yAt + 0 * LANES);
        FloatVector r1 = FloatVector.fromArray(F, y, yAt + 1 * LANES);
        FloatVector r2 = FloatVector.fromArray(F, y, yAt + 2 * LANES);
        FloatVector r3 = FloatVector.fromArray(F, y, yAt + 3 * LANES);
        FloatVector r4 = FloatVector.fromArray(F, y, yAt + 4 * LANES);
        FloatVector r5 = FloatVector.fromArray(F, y, yAt + 5 * LANES);
        FloatVector r6 = FloatVector.fromArray(F, y, yAt + 6 * LANES);
        FloatVector r7 = FloatVector.fromArray(F, y, yAt + 7 * LANES);
        FloatVector r8 = FloatVector.fromArray(F, y, yAt + 8 * LANES);
        FloatVector r9 = FloatVector.fromArray(F, y, yAt + 9 * LANES);
        FloatVector r10 = FloatVector.fromArray(F, y, yAt + 10 * LANES);
        FloatVector r11 = FloatVector.fromArray(F, y, yAt + 11 * LANES);
        FloatVector r12 = FloatVector.fromArray(F, y, yAt + 12 * LANES);
        FloatVector r13 = FloatVector.fromArray(F, y, yAt + 13 * LANES);
        FloatVector r14 = FloatVector.fromArray(F, y, yAt + 14 * LANES);
        FloatVector r15 = FloatVector.fromArray(F, y, yAt + 15 * LANES);
        for (int i = 0; i < TILE; i += 2) {
            int q = p + i * LANES;
            int z = xAt + i;
            FloatVector w = FloatVector.fromArray(F, panel, q);
            r0 = w.fma(FloatVector.broadcast(F, x[z + 0 * TILE]), r0);
            r1 = w.fma(FloatVector.broadcast(F, x[z + 1 * TILE]), r1);
            r2 = w.fma(FloatVector.broadcast(F, x[z + 2 * TILE]), r2);
            r3 = w.fma(FloatVector.broadcast(F, x[z + 3 * TILE]), r3);
            r4 = w.fma(FloatVector.broadcast(F, x[z + 4 * TILE]), r4);
            r5 = w.fma(FloatVector.broadcast(F, x[z + 5 * TILE]), r5);
            r6 = w.fma(FloatVector.broadcast(F, x[z + 6 * TILE]), r6);
            r7 = w.fma(FloatVector.broadcast(F, x[z + 7 * TILE]), r7);
            r8 = w.fma(FloatVector.broadcast(F, x[z + 8 * TILE]), r8);
            r9 = w.fma(FloatVector.broadcast(F, x[z + 9 * TILE]), r9);
            r10 = w.fma(FloatVector.broadcast(F, x[z + 10 * TILE]), r10);
            r11 = w.fma(FloatVector.broadcast(F, x[z + 11 * TILE]), r11);
            r12 = w.fma(FloatVector.broadcast(F, x[z + 12 * TILE]), r12);
            r13 = w.fma(FloatVector.broadcast(F, x[z + 13 * TILE]), r13);
            r14 = w.fma(FloatVector.broadcast(F, x[z + 14 * TILE]), r14);
            r15 = w.fma(FloatVector.broadcast(F, x[z + 15 * TILE]), r15);
            w = FloatVector.fromArray(F, panel, q + LANES);
            r0 = w.fma(FloatVector.broadcast(F, x[z + 0 * TILE + 1]), r0);
            r1 = w.fma(FloatVector.broadcast(F, x[z + 1 * TILE + 1]), r1);
            r2 = w.fma(FloatVector.broadcast(F, x[z + 2 * TILE + 1]), r2);
            r3 = w.fma(FloatVector.broadcast(F, x[z + 3 * TILE + 1]), r3);
            r4 = w.fma(FloatVector.broadcast(F, x[z + 4 * TILE + 1]), r4);
            r5 = w.fma(FloatVector.broadcast(F, x[z + 5 * TILE + 1]), r5);
            r6 = w.fma(FloatVector.broadcast(F, x[z + 6 * TILE + 1]), r6);
            r7 = w.fma(FloatVector.broadcast(F, x[z + 7 * TILE + 1]), r7);
            r8 = w.fma(FloatVector.broadcast(F, x[z + 8 * TILE + 1]), r8);
            r9 = w.fma(FloatVector.broadcast(F, x[z + 9 * TILE + 1]), r9);
            r10 = w.fma(FloatVector.broadcast(F, x[z + 10 * TILE + 1]), r10);
            r11 = w.fma(FloatVector.broadcast(F, x[z + 11 * TILE + 1]), r11);
            r12 = w.fma(FloatVector.broadcast(F, x[z + 12 * TILE + 1]), r12);
            r13 = w.fma(FloatVector.broadcast(F, x[z + 13 * TILE + 1]), r13);
            r14 = w.fma(FloatVector.broadcast(F, x[z + 14 * TILE + 1]), r14);
            r15 = w.fma(FloatVector.broadcast(F, x[z + 15 * TILE + 1]), r15);
        }
        r0.intoArray(y, yAt + 0 * LANES);
        r1.intoArray(y, yAt + 1 * LANES);
        r2.intoArray(y, yAt + 2 * LANES);
        r3.intoArray(y, yAt + 3 * LANES);
        r4.intoArray(y, yAt + 4 * LANES);
        r5.intoArray(y, yAt + 5 * LANES);
        r6.intoArray(y, yAt + 6 * LANES);
        r7.intoArray(y, yAt + 7 * LANES);
        r8.intoArray(y, yAt + 8 * LANES);
        r9.intoArray(y, yAt + 9 * LANES);
        r10.intoArray(y, yAt + 10 * LANES);
        r11.intoArray(y, yAt + 11 * LANES);
        r12.intoArray(y, yAt + 12 * LANES);
        r13.intoArray(y, yAt + 13 * LANES);
        r14.intoArray(y, yAt + 14 * LANES);
        r15.intoArray(y, yAt + 15 * LANES);
    }
    /** Four rows, two vectors of columns: what 16 vector registers hold. */
    private static void narrow4(float[] panel, int p, float[] x, int xAt, float[] y, int yAt) {
        FloatVector a0 = FloatVector.fromArray(F, y, yAt);
        FloatVector a1 = FloatVector.fromArray(F, y, yAt + L);
        FloatVector b0 = FloatVector.fromArray(F, y, yAt + LANES);
        FloatVector b1 = FloatVector.fromArray(F, y, yAt + LANES + L);
        FloatVector c0 = FloatVector.fromArray(F, y, yAt + 2 * LANES);
        FloatVector c1 = FloatVector.fromArray(F, y, yAt + 2 * LANES + L);
        FloatVector d0 = FloatVector.fromArray(F, y, yAt + 3 * LANES);
        FloatVector d1 = FloatVector.fromArray(F, y, yAt + 3 * LANES + L);
        for (int i = 0; i < TILE; i++) {
            int q = p + i * LANES;
            FloatVector w0 = FloatVector.fromArray(F, panel, q);
            FloatVector w1 = FloatVector.fromArray(F, panel, q + L);
            FloatVector t = FloatVector.broadcast(F, x[xAt + i]);
            a0 = w0.fma(t, a0);
            a1 = w1.fma(t, a1);
            t = FloatVector.broadcast(F, x[xAt + i + TILE]);
            b0 = w0.fma(t, b0);
            b1 = w1.fma(t, b1);
            t = FloatVector.broadcast(F, x[xAt + i + 2 * TILE]);
            c0 = w0.fma(t, c0);
            c1 = w1.fma(t, c1);
            t = FloatVector.broadcast(F, x[xAt + i + 3 * TILE]);
            d0 = w0.fma(t, d0);
            d1 = w1.fma(t, d1);
        }
        a0.intoArray(y, yAt);
        a1.intoArray(y, yAt + L);
        b0.intoArray(y, yAt + LANES);
        b1.intoArray(y, yAt + LANES + L);
        c0.intoArray(y, yAt + 2 * LANES);
        c1.intoArray(y, yAt + 2 * LANES + L);
        d0.intoArray(y, yAt + 3 * LANES);
        d1.intoArray(y, yAt + 3 * LANES + L);
    }
    /** Four rows, four vectors of columns, of which 512 bits make a whole tile. */
    private static void wide4x4(float[] panel, int p, int k, float[] x, int xAt, float[] y, int yAt) {
        FloatVector a0 = FloatVector.fromArray(F, y, yAt);
        FloatVector a1 = FloatVector.fromArray(F, y, yAt + L);
        FloatVector a2 = FloatVector.fromArray(F, y, yAt + 2 * L);
        FloatVector a3 = FloatVector.fromArray(F, y, yAt + 3 * L);
        FloatVector b0 = FloatVector.fromArray(F, y, yAt + TILE);
        FloatVector b1 = FloatVector.fromArray(F, y, yAt + TILE + L);
        FloatVector b2 = FloatVector.fromArray(F, y, yAt + TILE + 2 * L);
        FloatVector b3 = FloatVector.fromArray(F, y, yAt + TILE + 3 * L);
        FloatVector c0 = FloatVector.fromArray(F, y, yAt + 2 * TILE);
        FloatVector c1 = FloatVector.fromArray(F, y, yAt + 2 * TILE + L);
        FloatVector c2 = FloatVector.fromArray(F, y, yAt + 2 * TILE + 2 * L);
        FloatVector c3 = FloatVector.fromArray(F, y, yAt + 2 * TILE + 3 * L);
        FloatVector d0 = FloatVector.fromArray(F, y, yAt + 3 * TILE);
        FloatVector d1 = FloatVector.fromArray(F, y, yAt + 3 * TILE + L);
        FloatVector d2 = FloatVector.fromArray(F, y, yAt + 3 * TILE + 2 * L);
        FloatVector d3 = FloatVector.fromArray(F, y, yAt + 3 * TILE + 3 * L);
        for (int i = 0; i < k; i++) {
            int q = p + i * TILE;
            FloatVector w0 = FloatVector.fromArray(F, panel, q);
            FloatVector w1 = FloatVector.fromArray(F, panel, q + L);
            FloatVector w2 = FloatVector.fromArray(F, panel, q + 2 * L);
            FloatVector w3 = FloatVector.fromArray(F, panel, q + 3 * L);
            FloatVector t = FloatVector.broadcast(F, x[xAt + i * LANES]);
            a0 = w0.fma(t, a0);
            a1 = w1.fma(t, a1);
            a2 = w2.fma(t, a2);
            a3 = w3.fma(t, a3);
            t = FloatVector.broadcast(F, x[xAt + i * LANES + 1]);
            b0 = w0.fma(t, b0);
            b1 = w1.fma(t, b1);
            b2 = w2.fma(t, b2);
            b3 = w3.fma(t, b3);
            t = FloatVector.broadcast(F, x[xAt + i * LANES + 2]);
            c0 = w0.fma(t, c0);
            c1 = w1.fma(t, c1);
            c2 = w2.fma(t, c2);
            c3 = w3.fma(t, c3);
            t = FloatVector.broadcast(F, x[xAt + i * LANES + 3]);
            d0 = w0.fma(t, d0);
            d1 = w1.fma(t, d1);
            d2 = w2.fma(t, d2);
            d3 = w3.fma(t, d3);
        }
        a0.intoArray(y, yAt);
        a1.intoArray(y, yAt + L);
        a2.intoArray(y, yAt + 2 * L);
        a3.intoArray(y, yAt + 3 * L);
        b0.intoArray(y, yAt + TILE);
        b1.intoArray(y, yAt + TILE + L);
        b2.intoArray(y, yAt + TILE + 2 * L);
        b3.intoArray(y, yAt + TILE + 3 * L);
        c0.intoArray(y, yAt + 2 * TILE);
        c1.intoArray(y, yAt + 2 * TILE + L);
        c2.intoArray(y, yAt + 2 * TILE + 2 * L);
        c3.intoArray(y, yAt + 2 * TILE + 3 * L);
        d0.intoArray(y, yAt + 3 * TILE);
        d1.intoArray(y, yAt + 3 * TILE + L);
        d2.intoArray(y, yAt + 3 * TILE + 2 * L);
        d3.intoArray(y, yAt + 3 * TILE + 3 * L);
    }
    /** Four rows, two vectors of columns. */
    private static void wide4x2(float[] panel, int p, int k, float[] x, int xAt, float[] y, int yAt) {
        FloatVector a0 = FloatVector.fromArray(F, y, yAt);
        FloatVector a1 = FloatVector.fromArray(F, y, yAt + L);
        FloatVector b0 = FloatVector.fromArray(F, y, yAt + TILE);
        FloatVector b1 = FloatVector.fromArray(F, y, yAt + TILE + L);
        FloatVector c0 = FloatVector.fromArray(F, y, yAt + 2 * TILE);
        FloatVector c1 = FloatVector.fromArray(F, y, yAt + 2 * TILE + L);
        FloatVector d0 = FloatVector.fromArray(F, y, yAt + 3 * TILE);
        FloatVector d1 = FloatVector.fromArray(F, y, yAt + 3 * TILE + L);
        for (int i = 0; i < k; i++) {
            int q = p + i * TILE;
            FloatVector w0 = FloatVector.fromArray(F, panel, q);
            FloatVector w1 = FloatVector.fromArray(F, panel, q + L);
            FloatVector t = FloatVector.broadcast(F, x[xAt + i * LANES]);
            a0 = w0.fma(t, a0);
            a1 = w1.fma(t, a1);
            t = FloatVector.broadcast(F, x[xAt + i * LANES + 1]);
            b0 = w0.fma(t, b0);
            b1 = w1.fma(t, b1);
            t = FloatVector.broadcast(F, x[xAt + i * LANES + 2]);
            c0 = w0.fma(t, c0);
            c1 = w1.fma(t, c1);
            t = FloatVector.broadcast(F, x[xAt + i * LANES + 3]);
            d0 = w0.fma(t, d0);
            d1 = w1.fma(t, d1);
        }
        a0.intoArray(y, yAt);
        a1.intoArray(y, yAt + L);
        b0.intoArray(y, yAt + TILE);
        b1.intoArray(y, yAt + TILE + L);
        c0.intoArray(y, yAt + 2 * TILE);
        c1.intoArray(y, yAt + 2 * TILE + L);
        d0.intoArray(y, yAt + 3 * TILE);
        d1.intoArray(y, yAt + 3 * TILE + L);
    }
}
