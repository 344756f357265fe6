package dev.remora.models.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The router follows another policy from this step on. */
@Name("remora.Policy")
@Label("Policy change")
@Category("Remora")
@Description("The router follows another policy from this step on.")
@StackTrace(false)
public final class PolicyEvent extends Event {
    @Label("Before")
    public String from;

    @Label("Now")
    public String to;

    @Label("Reason")
    public String reason;
}
