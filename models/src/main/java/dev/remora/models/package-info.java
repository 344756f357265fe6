/**
 * The library: load a checkpoint, open sessions, generate text as a stream of events.
 *
 * <p>Start at {@link dev.remora.models.Llm}. A {@link dev.remora.models.Session} holds one conversation and its cache;
 * a {@link dev.remora.models.Generation} is one answer, produced as its events are asked for. Never here: printing,
 * kernels, statics with state.
 */
package dev.remora.models;
