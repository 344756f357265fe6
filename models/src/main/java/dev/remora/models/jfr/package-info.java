/**
 * Events for Flight Recorder, all in the category Remora. The engine makes them; this package knows nothing of it. An
 * event of the engine thread is one object that is used again, so that recording allocates nothing.
 */
package dev.remora.models.jfr;
