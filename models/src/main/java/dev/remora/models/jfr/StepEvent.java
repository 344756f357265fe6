package dev.remora.models.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** Where the time of a step went, and what the caches hold after it. */
@Name("remora.Step")
@Label("Step")
@Category("Remora")
@Description("Where the time of a step went, and what the caches hold after it.")
@StackTrace(false)
public final class StepEvent extends Event {
    @Label("Rows")
    public int rows;

    @Label("Sequences")
    public int sequences;

    @Label("Attention")
    @Timespan(Timespan.NANOSECONDS)
    public long attention;

    @Label("Router")
    @Timespan(Timespan.NANOSECONDS)
    public long router;

    @Label("Experts and dense networks")
    @Timespan(Timespan.NANOSECONDS)
    public long feedForward;

    @Label("Head")
    @Timespan(Timespan.NANOSECONDS)
    public long head;

    @Label("Embedding and norms")
    @Timespan(Timespan.NANOSECONDS)
    public long other;

    @Label("Pages of cache in use")
    public long cachePages;

    @Label("Bytes of cache in use")
    @DataAmount(DataAmount.BYTES)
    public long cacheBytes;
}
