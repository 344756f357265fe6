package dev.remora.models.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Several tokens of a sequence passed the model in one step. */
@Name("remora.Prefill")
@Label("Prefill")
@Category("Remora")
@Description("Several tokens of a sequence passed the model in one step.")
@StackTrace(false)
public final class PrefillEvent extends Event {
    @Label("Position of the first")
    public int position;

    @Label("Tokens")
    public int tokens;
}
