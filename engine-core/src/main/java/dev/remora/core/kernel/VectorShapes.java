package dev.remora.core.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** The species of all kernels, fixed when this class loads. Only loaded where the Vector API is usable. */
public final class VectorShapes {
    /** f32 lanes. */
    @SuppressWarnings("exports") // whoever uses the Vector API requires its module anyway
    public static final VectorSpecies<Float> F =
            VectorSpecies.of(float.class, VectorShape.forBitSize(VectorSupport.BITS));

    /** i32 lanes of the same width. */
    @SuppressWarnings("exports")
    public static final VectorSpecies<Integer> I =
            VectorSpecies.of(int.class, VectorShape.forBitSize(VectorSupport.BITS));

    private VectorShapes() {}

    /** Apart, because it is asked before the width, and with it the species above, is decided. */
    static final class Widest {
        private Widest() {}

        static int bits() {
            int floats = FloatVector.SPECIES_PREFERRED.vectorBitSize();
            return Math.min(Math.min(floats, IntVector.SPECIES_PREFERRED.vectorBitSize()), 512);
        }
    }
}
