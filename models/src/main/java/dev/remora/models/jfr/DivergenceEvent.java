package dev.remora.models.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A guard had a decoded token run as the policy has it, and exactly. */
@Name("remora.Divergence")
@Label("Divergence")
@Category("Remora")
@Description("A guard had a decoded token run as the policy has it, and exactly.")
@StackTrace(false)
public final class DivergenceEvent extends Event {
    @Label("Position")
    public int position;

    @Label("KL(exact || policy), in nats")
    public double kl;

    @Label("Same most probable token")
    public boolean sameTop;
}
