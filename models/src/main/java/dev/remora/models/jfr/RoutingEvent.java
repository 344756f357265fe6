package dev.remora.models.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** What the routers of all layers decided in a step, and which experts were in memory. */
@Name("remora.Routing")
@Label("Routing")
@Category("Remora")
@Description("What the routers of all layers decided in a step, and which experts were in memory.")
@StackTrace(false)
public final class RoutingEvent extends Event {
    @Label("Rows, of all layers")
    public long rows;

    @Label("Experts chosen, of all rows")
    public long chosen;

    @Label("Entropy of a choice, mean, in bits")
    public double entropyBits;

    @Label("Rows that found an expert full")
    public long overflow;

    @Label("Rows that found an expert late")
    public long fallbacks;

    @Label("Experts found in memory")
    public long hits;

    @Label("Experts not in memory")
    public long misses;

    @Label("Bytes read for experts")
    @DataAmount(DataAmount.BYTES)
    public long bytesRead;
}
