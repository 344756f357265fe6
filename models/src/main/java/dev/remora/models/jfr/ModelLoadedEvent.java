package dev.remora.models.jfr;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A model was loaded. */
@Name("remora.ModelLoaded")
@Label("Model loaded")
@Category("Remora")
@Description("A model was loaded.")
@StackTrace(false)
public final class ModelLoadedEvent extends Event {
    @Label("Source")
    public String source;

    @Label("Architecture")
    public String architecture;

    @Label("Parameters")
    public long parameters;

    @Label("Bytes of the tensors")
    @DataAmount(DataAmount.BYTES)
    public long weightBytes;
}
