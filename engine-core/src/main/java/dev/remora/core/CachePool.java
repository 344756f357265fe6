package dev.remora.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Locale;

/**
 * The memory of all sequences, in pages of {@value #PAGE_ROWS} positions. A page holds these positions for every layer,
 * layer after layer, so a sequence grows by whole pages and never moves:
 *
 * <pre>
 *   page: | layer 0: row 0 .. row 63 | layer 1: row 0 .. row 63 | ... |
 * </pre>
 *
 * The size of a row is fixed, whatever the context; the cache as a whole grows with every token.
 */
public final class CachePool implements AutoCloseable {
    /** Positions of one page, and of one tile of the attention. */
    public static final int PAGE_ROWS = 64;

    private final Arena arena = Arena.ofShared();
    private final ArrayDeque<MemorySegment> free = new ArrayDeque<>();
    private final int layers;
    private final int rowBytes;
    private final long layerBytes;
    private final long pageBytes;
    private final long maxPages;
    private long allocatedPages;
    private boolean closed;

    /**
     * @param layers   layers that cache something
     * @param rowBytes bytes of one position in one layer
     * @param maxBytes most bytes that all sequences together may take
     */
    public CachePool(int layers, int rowBytes, long maxBytes) {
        this.layers = layers;
        this.rowBytes = rowBytes;
        // Pages and layers start on a cache line.
        this.layerBytes = ((long) PAGE_ROWS * rowBytes + 63) / 64 * 64;
        this.pageBytes = layerBytes * layers;
        this.maxPages = maxBytes / pageBytes;
    }

    /** Bytes that a sequence of {@code positions} takes. */
    public long bytesFor(int positions) {
        return pagesFor(positions) * pageBytes;
    }

    /** Pages that sequences hold now. */
    public synchronized long pagesInUse() {
        return allocatedPages - free.size();
    }

    /** Pages that sequences held at most; their memory stays with the pool. */
    public synchronized long pagesAllocated() {
        return allocatedPages;
    }

    /** Bytes of a page. */
    public long pageBytes() {
        return pageBytes;
    }

    /** Bytes of one position in all layers, without what rounds them up. */
    public int positionBytes() {
        return layers * rowBytes;
    }

    /** A new, empty sequence of at most {@code capacity} positions. */
    public Sequence open(int capacity) {
        return new Sequence(capacity);
    }

    /** Frees the memory of all sequences. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            free.clear();
            arena.close();
        }
    }

    private static long pagesFor(int positions) {
        return (positions + PAGE_ROWS - 1L) / PAGE_ROWS;
    }

    private synchronized MemorySegment take() {
        if (closed) {
            throw new IllegalStateException("the engine is closed");
        }
        MemorySegment page = free.poll();
        if (page != null) {
            return page;
        }
        if (allocatedPages >= maxPages) {
            throw new InsufficientMemoryException(String.format(
                    Locale.ROOT,
                    "the cache is full: all sequences together hold %d positions, %.2f GiB; close sessions, or shorten"
                            + " the context",
                    allocatedPages * PAGE_ROWS,
                    allocatedPages * pageBytes / (double) (1 << 30)));
        }
        page = arena.allocate(pageBytes, 64);
        allocatedPages++;
        return page;
    }

    private synchronized void release(MemorySegment page) {
        if (!closed) {
            free.push(page);
        }
    }

    /** The cached positions of one conversation. One thread at a time. */
    public final class Sequence implements AutoCloseable {
        private final MemorySegment[] pages;
        private final int capacity;
        private int pageCount;
        private int length;

        private Sequence(int capacity) {
            this.capacity = capacity;
            this.pages = new MemorySegment[(int) pagesFor(capacity)];
        }

        /** Positions that are cached. */
        public int length() {
            return length;
        }

        public int capacity() {
            return capacity;
        }

        /**
         * Makes room for positions up to {@code positions}, without changing {@link #length}.
         *
         * @throws ContextOverflowException    if that exceeds the capacity
         * @throws InsufficientMemoryException if the pool is exhausted
         */
        public void reserve(int positions) {
            if (positions > capacity) {
                throw new ContextOverflowException("the context holds " + capacity + " tokens, " + positions
                        + " are needed; open the session with a longer context, or shorten the input");
            }
            while (pageCount < pagesFor(positions)) {
                pages[pageCount] = take();
                pageCount++;
            }
        }

        /** Moves the end forward, after a step wrote the rows, or back, to forget them; pages past the end are freed. */
        public void resize(int positions) {
            if (positions < 0 || positions > capacity) {
                throw new IllegalArgumentException("position " + positions + " of a context of " + capacity);
            }
            length = positions;
            while (pageCount > pagesFor(positions)) {
                pageCount--;
                release(pages[pageCount]);
                pages[pageCount] = null;
            }
        }

        /** The page that holds a position. */
        public MemorySegment page(int position) {
            return pages[position / PAGE_ROWS];
        }

        /** Byte offset, in its page, of a position's row in a layer. */
        public long offset(int layer, int position) {
            return layer * layerBytes + (long) (position % PAGE_ROWS) * rowBytes;
        }

        /** Copies what all layers hold for a position, {@link CachePool#positionBytes()} bytes. */
        public void save(int position, MemorySegment target, long at) {
            MemorySegment page = page(position);
            for (int layer = 0; layer < layers; layer++) {
                MemorySegment.copy(page, offset(layer, position), target, at + (long) layer * rowBytes, rowBytes);
            }
        }

        /** Puts back what {@link #save} copied. */
        public void restore(int position, MemorySegment source, long at) {
            MemorySegment page = page(position);
            for (int layer = 0; layer < layers; layer++) {
                MemorySegment.copy(source, at + (long) layer * rowBytes, page, offset(layer, position), rowBytes);
            }
        }

        @Override
        public void close() {
            resize(0);
        }
    }
}
