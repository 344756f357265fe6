package dev.remora.models.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** An expert was brought into memory. */
@Name("remora.ExpertLoad")
@Label("Expert load")
@Category("Remora")
@Description("An expert was brought into memory.")
@StackTrace(false)
public final class ExpertLoadEvent extends Event {
    @Label("Layer")
    public int layer;

    @Label("Expert")
    public int expert;

    @Label("Bytes read")
    @DataAmount(DataAmount.BYTES)
    public long bytes;

    @Label("Time for reading and repacking")
    @Timespan(Timespan.NANOSECONDS)
    public long took;
}
