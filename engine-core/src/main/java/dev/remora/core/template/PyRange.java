package dev.remora.core.template;

import java.util.AbstractList;

/** Python's range. */
final class PyRange extends AbstractList<Object> {
    private final long start;
    private final long stop;
    private final long step;
    private final int size;

    PyRange(long start, long stop, long step) {
        if (step == 0) {
            throw new PyError("range() arg 3 must not be zero");
        }
        double count = Math.ceil(((double) stop - start) / step);
        if (count > Limits.RANGE) {
            throw new PyError("range too big: the sandbox allows " + Limits.RANGE + " numbers");
        }
        this.start = start;
        this.stop = stop;
        this.step = step;
        this.size = (int) Math.max(0, count);
    }

    /** The range of the elements from one position to another. */
    PyRange slice(int from, int to, int by) {
        return new PyRange(start + from * step, start + to * step, step * by);
    }

    @Override
    public Object get(int index) {
        return start + index * step;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public String toString() {
        return "range(" + start + ", " + stop + (step == 1 ? "" : ", " + step) + ")";
    }
}
