package dev.remora.models.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** One token of a sequence passed the model. */
@Name("remora.Token")
@Label("Token")
@Category("Remora")
@Description("One token of a sequence passed the model.")
@StackTrace(false)
public final class TokenEvent extends Event {
    @Label("Position")
    public int position;
}
