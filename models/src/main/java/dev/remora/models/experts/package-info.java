/**
 * Routed experts that stay in the files of their checkpoint and are brought into a fixed number of slots when they are
 * asked for. Start at {@link dev.remora.models.experts.SlotExperts}: it serves the engine thread; {@link
 * dev.remora.models.experts.SlotTable} decides which expert has which slot; {@link dev.remora.models.experts.ExpertReader}
 * reads and repacks, on threads of this package's own that nobody interrupts.
 *
 * <p>Never here: the choice of experts by a router, and arithmetic: a slot holds the very bits that a model held in memory
 * has.
 */
package dev.remora.models.experts;
